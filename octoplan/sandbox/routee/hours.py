"""Quiet hours: 23:00 to 08:00 and 14:00 to 17:00 at the destination, where it has one time zone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from octoplan.sandbox import countries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from octoplan.sandbox.routee.order import Order
    from octoplan.sandbox.world import World

_ZONES = (
    "FR Europe/Paris,GP America/Guadeloupe,GF America/Cayenne,MQ America/Martinique,RE Indian/Reunion,"
    "YT Indian/Mayotte,PM America/Miquelon,NC Pacific/Noumea,WF Pacific/Wallis,MC Europe/Monaco,AD Europe/Andorra,"
    "BE Europe/Brussels,LU Europe/Luxembourg,CH Europe/Zurich,LI Europe/Vaduz,DE Europe/Berlin,AT Europe/Vienna,"
    "NL Europe/Amsterdam,IT Europe/Rome,VA Europe/Vatican,SM Europe/San_Marino,MT Europe/Malta,GB Europe/London,"
    "JE Europe/Jersey,GG Europe/Guernsey,IM Europe/Isle_of_Man,GI Europe/Gibraltar,IE Europe/Dublin,"
    "DK Europe/Copenhagen,FO Atlantic/Faroe,SE Europe/Stockholm,NO Europe/Oslo,FI Europe/Helsinki,"
    "AX Europe/Mariehamn,IS Atlantic/Reykjavik,EE Europe/Tallinn,LV Europe/Riga,LT Europe/Vilnius,PL Europe/Warsaw,"
    "CZ Europe/Prague,SK Europe/Bratislava,HU Europe/Budapest,SI Europe/Ljubljana,HR Europe/Zagreb,"
    "BA Europe/Sarajevo,ME Europe/Podgorica,RS Europe/Belgrade,MK Europe/Skopje,AL Europe/Tirane,GR Europe/Athens,"
    "CY Asia/Nicosia,BG Europe/Sofia,RO Europe/Bucharest,MD Europe/Chisinau,BY Europe/Minsk,TR Europe/Istanbul,"
    "GE Asia/Tbilisi,AM Asia/Yerevan,AZ Asia/Baku,IL Asia/Jerusalem,MA Africa/Casablanca,DZ Africa/Algiers,"
    "TN Africa/Tunis,SN Africa/Dakar,CI Africa/Abidjan"
)
_ZONE = dict(entry.split(" ") for entry in _ZONES.split(","))
_EVENING, _MORNING = time(23), time(8)
_NOON, _AFTERNOON = time(14), time(17)


def held(order: Order, addresses: Sequence[str], *, at: datetime, world: World) -> Mapping[str, datetime]:
    """Give until when calls are held that are due at a moment, by the country they go to; those that are not lack."""
    if not order.respects_quiet or world.settings.text("routee_quiet_hours") == "ignored":
        return {}
    found = {country: allowed(at, country) for country in countries.count(addresses) if country}
    return {country: moment for country, moment in found.items() if moment > at}


def allowed(at: datetime, country: str) -> datetime:
    """Give the first moment, from one on, at which a country may be called."""
    if country not in _ZONE:
        return at
    local = at.astimezone(ZoneInfo(_ZONE[country]))
    clock, day = local.time(), local.date()
    if clock >= _EVENING:
        day += timedelta(days=1)
    if clock >= _EVENING or clock < _MORNING:
        return datetime.combine(day, _MORNING, local.tzinfo).astimezone(UTC)
    if _NOON <= clock < _AFTERNOON:
        return datetime.combine(day, _AFTERNOON, local.tzinfo).astimezone(UTC)
    return at
