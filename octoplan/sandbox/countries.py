"""The country of an international number, by its longest known prefix, and what it is called."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_CODES = """
FR 33
GP 590
GF 594
MQ 596
RE 262
YT 262269 262639
PM 508
NC 687
PF 689
WF 681
MC 377
AD 376
BE 32
LU 352
CH 41
LI 423
DE 49
AT 43
NL 31
ES 34
PT 351
IT 39
VA 3906698
SM 378
MT 356
GB 44
JE 441534 447509 4477003 4477007 4477008 447797 447829 447937
GG 441481 447781 447839 4479111 4479117
IM 441624 4474576 447524 447624
GI 350
IE 353
DK 45
FO 298
GL 299
SE 46
NO 47
SJ 4779
FI 358
AX 35818
IS 354
EE 372
LV 371
LT 370
PL 48
CZ 420
SK 421
HU 36
SI 386
HR 385
BA 387
ME 382
RS 381
XK 383
MK 389
AL 355
GR 30
CY 357
BG 359
RO 40
MD 373
UA 380
BY 375
RU 7
KZ 76 77
TR 90
GE 995
AM 374
AZ 994
IL 972
MA 212
DZ 213
TN 216
SN 221
CI 225
US 1
"""
_CANADA = """
204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 387 403 416 418 428 431 437 438 450 460 468 474 506 514 519
537 548 568 579 581 584 587 600 604 613 622 639 647 672 683 705 709 742 753 778 780 782 807 819 825 867 873 879 902 905
942
"""
_ISLANDS = (  # members of +1 that are neither the United States nor Canada
    "AG 268,AI 264,AS 684,BB 246,BM 441,BS 242,DM 767,DO 809,DO 829,DO 849,GD 473,GU 671,JM 658,JM 876,KN 869,KY 345,"
    "LC 758,MP 670,MS 664,PR 787,PR 939,SX 721,TC 649,TT 868,VC 784,VG 284,VI 340"
)

_NAMES = (
    "FR France,GP Guadeloupe,GF French Guiana,MQ Martinique,RE Reunion,YT Mayotte,PM Saint Pierre and Miquelon,"
    "NC New Caledonia,PF French Polynesia,WF Wallis and Futuna,MC Monaco,AD Andorra,BE Belgium,LU Luxembourg,"
    "CH Switzerland,LI Liechtenstein,DE Germany,AT Austria,NL Netherlands,ES Spain,PT Portugal,IT Italy,VA Vatican,"
    "SM San Marino,MT Malta,GB United Kingdom,JE Jersey,GG Guernsey,IM Isle of Man,GI Gibraltar,IE Ireland,DK Denmark,"
    "FO Faroe Islands,GL Greenland,SE Sweden,NO Norway,SJ Svalbard and Jan Mayen,FI Finland,AX Aland,IS Iceland,"
    "EE Estonia,LV Latvia,LT Lithuania,PL Poland,CZ Czechia,SK Slovakia,HU Hungary,SI Slovenia,HR Croatia,"
    "BA Bosnia and Herzegovina,ME Montenegro,RS Serbia,XK Kosovo,MK North Macedonia,AL Albania,GR Greece,CY Cyprus,"
    "BG Bulgaria,RO Romania,MD Moldova,UA Ukraine,BY Belarus,RU Russia,KZ Kazakhstan,TR Turkey,GE Georgia,AM Armenia,"
    "AZ Azerbaijan,IL Israel,MA Morocco,DZ Algeria,TN Tunisia,SN Senegal,CI Ivory Coast,US United States,CA Canada"
)


def _table() -> dict[str, str]:
    table = {prefix: line.split()[0] for line in _CODES.strip().splitlines() for prefix in line.split()[1:]}
    table |= {f"1{area}": "CA" for area in _CANADA.split()}
    return table | {f"1{entry[3:]}": entry[:2] for entry in _ISLANDS.split(",")}


_COUNTRY = _table()
_LONGEST = max(map(len, _COUNTRY))
_NAME = {entry[:2]: entry[3:] for entry in _NAMES.split(",")}
_leading = itemgetter(slice(0, _LONGEST + 1))


def of(number: str) -> str | None:
    """Find the ISO 3166 code of a number such as `+33612345678`."""
    return _of_leading(_leading(number))


def name(country: str) -> str:
    """Give the English name of a country; its code where that is not known here."""
    return _NAME.get(country, country)


def count(numbers: Iterable[str]) -> Counter[str | None]:
    """Count numbers by country."""
    return Counter(map(_of_leading, map(_leading, numbers)))


@lru_cache(maxsize=100_000)
def _of_leading(characters: str) -> str | None:
    digits = characters[1:]
    for length in range(_LONGEST, 0, -1):
        country = _COUNTRY.get(digits[:length])
        if country is not None:
            return country
    return None
