"""The canonical form of an e-mail address."""

from __future__ import annotations

import re
import time

import pytest

from octoplan.core import email
from octoplan.core.address import read
from octoplan.core.email import Email, canonical
from octoplan.core.misspelled import MISSPELLED

CAFE = "zoe@xn--caf-dma.example"


@pytest.mark.parametrize(
    "raw",
    [
        "zoe@café.example",
        "ZOE@CAFÉ.EXAMPLE",
        "Zoe@cafe\u0301.Example",
        "zoe@xn--caf-dma.example",
        "zoe@XN--CAF-DMA.example",
        "zoe@ｃａｆé.example",
        "zoe@café。example",
        " \u00a0zoe@café.example\u202f\r\n",
        "Zoé M. <zoe@café.example>",
        '"Zoé" < zoe@café.example >',
        "<zoe@café.example>",
        '"zoe"@café.example',
    ],
)
def test_every_spelling_of_an_address_is_one_address(raw: str) -> None:
    assert canonical(raw) == Email(address=CAFE, fiction=True)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "empty"),
        (" \u00a0\t", "empty"),
        ("<>", "empty"),
        ("n/a", "no-at"),
        ("zoe.acme.example", "no-at"),
        ("zoe＠acme.example", "no-at"),
        ("=cmd|'/C calc'!A0", "no-at"),
        ("+33 6 39 98 00 12", "phone-number"),
        ("06.39.98.00.12", "phone-number"),
        ("(+33) 639980012", "phone-number"),
        ("33639980012", "phone-number"),
        ("06399", "no-at"),
        ("a@acme.example, b@acme.example", "several-at"),
        ("a@@acme.example", "several-at"),
        ("a@acme.example <b@acme.example>", "several-at"),
        ("zoé@acme.example", "not-ascii"),
        ("zo\u200be@acme.example", "not-ascii"),
        ("\ud800@acme.example", "not-ascii"),
        ("zoe@[127.0.0.1]", "ip-address"),
        ("zoe@[IPv6:::1]", "ip-address"),
        ('"zoe m"@acme.example', "quoted"),
        ('"zoe@x"@acme.example', "quoted"),
        ("a@" + "b" * 300_000 + ".example", "too-long"),
        ("a@b." + "éééé." * 22 + "localhost", "too-long"),
        ("a" * 65 + "@acme.example", "not-valid"),
        ("zoe@" + "b" * 64 + ".example", "not-valid"),
        ("zoe@printer.local", "reserved-domain"),
        ("zoe@abc.ONION", "reserved-domain"),
        ("zoe@1.in-addr.arpa", "reserved-domain"),
        ("zoe@host.internal", "reserved-domain"),
        ("zoe@host．internal", "reserved-domain"),
        ("@", "not-valid"),
        ("zoe@", "not-valid"),
        ("@acme.example", "not-valid"),
        ("zoe@localhost", "not-valid"),
        ("zoe@example", "not-valid"),
        ("zoe@127.0.0.1", "not-valid"),
        ("zoe@acme.example.", "not-valid"),
        ("zoe@.acme.example", "not-valid"),
        ("zoe@acme..example", "not-valid"),
        (".zoe@acme.example", "not-valid"),
        ("z..oe@acme.example", "not-valid"),
        ("zoe @acme.example", "not-valid"),
        ("zoe\n@acme.example", "not-valid"),
        ("zoe@acme.example\u202e", "not-valid"),
        ("zoe@ac\u200bme.example", "not-valid"),
        ("zoe@ac\u00adme.example", "not-valid"),
        ("zoe@-acme.example", "not-valid"),
        ("zoe@ab--c.example", "not-valid"),
        ("zoe@xn--a.example", "not-valid"),
        ("zoe@\ud800.example", "not-valid"),
        ("zoe@⒈com.example", "not-valid"),
        ("'zoe@acme.example'", "not-valid"),
        ("mailto:zoe@acme.example", "not-valid"),
        ("zoe@acme.example(home)", "not-valid"),
        ("+SUM(1)@acme.example", "not-valid"),
    ],
)
def test_what_cannot_be_contacted_has_a_reason(raw: str, reason: str) -> None:
    assert canonical(raw) == reason
    assert re.fullmatch("[a-z-]+", reason)


@pytest.mark.parametrize(
    ("domain", "fiction"),
    [
        ("example.com", True),
        ("mail.example.NET", True),
        ("example.org", True),
        ("acme.example", True),
        ("acme.test", True),
        ("acme.invalid", True),
        ("acme.localhost", True),
        ("notexample.com", False),
        ("example.fr", False),
        ("example.com.fr", False),
        ("test.fr", False),
        ("straße.de", False),
    ],
)
def test_names_reserved_for_examples_say_so(domain: str, *, fiction: bool) -> None:
    found = canonical(f"zoe@{domain}")
    assert isinstance(found, Email)
    assert found.fiction is fiction
    assert canonical(found.address) == found


def test_an_address_may_be_as_long_as_servers_take() -> None:
    longest = "a@" + ".".join(["b" * 61] * 4) + ".test"
    assert canonical(longest) == Email(address=longest, fiction=True)
    assert canonical("a" + longest) == "too-long"


def test_german_sharp_s_is_a_letter_of_its_own() -> None:
    assert canonical("zoe@straße.de") == Email(address="zoe@xn--strae-oqa.de")


def test_a_mistyped_provider_is_an_address_that_says_so() -> None:
    assert canonical("Zoe@Gmail.Con") == Email(address="zoe@gmail.con", misspelled=True)
    assert canonical("zoe@gmail.com") == Email(address="zoe@gmail.com")


PROVIDERS = """
aol.com aol.fr aliceadsl.fr bbox.fr cegetel.net club-internet.fr email.com free.fr gmail.com gmx.com gmx.de gmx.fr
gmx.net googlemail.com hey.com hotmail.be hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it
icloud.com infonie.fr laposte.fr laposte.net live.be live.co.uk live.com live.fr live.nl mac.com mail.com mail.fr
me.com msn.com neuf.fr noos.fr numericable.fr orange.com orange.fr orange.net outlook.be outlook.com outlook.de
outlook.es outlook.fr outlook.it pm.me proton.me protonmail.ch protonmail.com rocketmail.com sfr.com sfr.fr
sympatico.ca t-online.de tele2.fr voila.fr wanadoo.fr wanadoo.nl web.de yahoo.be yahoo.ca yahoo.co.jp yahoo.co.uk
yahoo.com yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yahoo.jp ymail.com
"""


def test_no_provider_is_taken_for_a_slip_and_every_slip_means_one() -> None:
    providers = set(PROVIDERS.split())
    assert not MISSPELLED.keys() & providers
    assert set(MISSPELLED.values()) <= providers
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+", slip) for slip in MISSPELLED)
    assert {"gmail.con", "gmial.com", "hotmial.fr", "orange.f", "yaho.fr"} <= MISSPELLED.keys()


@pytest.mark.parametrize("raw", ["xn--" + "a" * 250 + "@x", "a@xn--" + "9" * 240, "a@" + "٣" * 245, "<" * 90_000 + "@"])
def test_a_hostile_cell_costs_nothing(raw: str) -> None:
    before = time.process_time()
    assert isinstance(canonical(raw), str)
    assert time.process_time() - before < 1


def test_a_domain_is_what_follows_the_at() -> None:
    assert email.domain(CAFE) == "xn--caf-dma.example"


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("06 39 98 00 12", "+33639980012"),
        ("Zoe@CAFÉ.example", CAFE),
        ("zoe@", None),
        ("ab12", None),
    ],
)
def test_an_address_of_either_kind_is_told_by_its_at(raw: str, address: str | None) -> None:
    assert read(raw, country="FR") == address
