"""An audience of e-mail addresses: every row is counted under exactly one reason, and opt-out wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from octoplan.audience import AudienceError, Engine, Query
from octoplan.core.keys import contact_key
from octoplan.core.model import AddressKind, Audience, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from octoplan.audience import Resolved

K = b"k" * 32

MESSY = """\
\ufeffcontact_id;email;prénom
1;zoe@acme.example;Zoé
2;ZOE@ACME.EXAMPLE ;Zoë
3;Marc <Marc@Café.example>;Marc
4;marc@cafe\u0301.example;Marc
5;ines@gmail.con;Ines
6;yves@gmial.com;Yves
7;0639980012;Anne
8;n/a;Anne
9;;Anne
10;anne@acme..example;Anne
11;anné@acme.example;Anne
12;anne@acme.local;Anne
13;"a@acme.example; b@acme.example";Anne
14;jean-luc.d'arc+news@mail.acme.test;Jean
"""

OWED = {
    "zoe@acme.example": "Zoé",
    "marc@xn--caf-dma.example": "Marc",
    "ines@gmail.con": "Ines",
    "yves@gmial.com": "Yves",
    "jean-luc.d'arc+news@mail.acme.test": "Jean",
}

SPELLINGS = [
    "ZOE@CAFÉ.EXAMPLE",
    "Zoe@cafe\u0301.example",
    "zoe@XN--CAF-DMA.Example",
    "zoe@ｃａｆé.example",
    "zoe@café。example",
    " \u00a0zoe@café.example\u202f",
    "Zoé <zoe@café.example>",
    '"zoe"@café.example',
]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "temp", root=tmp_path) as engine:
        yield engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text(MESSY, encoding="utf-8")
    (tmp_path / "n.csv").write_text("mobile\n0639980001\n0639980002\n")
    return tmp_path


def query(file: Path, *, kind: AddressKind = AddressKind.EMAIL, **against: Any) -> Query:
    address = "email" if kind is AddressKind.EMAIL else "mobile"
    audience = Audience(address=address, country="FR")
    return Query(
        **{
            "campaign_audience": audience,
            "files": (file,),
            "key": K,
            "kind": kind,
            "fiction": True,
            "home": "FR",
            **against,
        }
    )


def contacts(resolved: Resolved) -> dict[str, str]:
    return {
        address: value
        for rows in resolved.chunks()
        for address, value in zip(rows.addresses, rows.columns["prénom"], strict=True)
    }


def said(resolved: Resolved) -> list[tuple[str, Severity, str]]:
    return [(found.rule, found.severity, found.message) for found in resolved.findings]


def refusals(engine: Engine, asked: Query) -> list[tuple[str, str, str]]:
    with pytest.raises(AudienceError) as error:
        engine.resolve(asked)
    return [(found.rule, found.message, found.hint) for found in error.value.findings]


def test_a_messy_file_is_counted_row_by_row(engine: Engine, folder: Path) -> None:
    resolved = engine.resolve(query(folder / "a.csv", columns=("prénom",)))
    assert (resolved.rows, resolved.contacts, resolved.already_sent) == (14, 5, 0)
    assert resolved.excluded == {"invalid": 7, "duplicate": 2}
    assert resolved.invalid_reasons == {
        "empty": 1,
        "no-at": 1,
        "not-ascii": 1,
        "not-valid": 1,
        "phone-number": 1,
        "reserved-domain": 1,
        "several-at": 1,
    }
    assert (resolved.differ, resolved.fiction, resolved.fixed, resolved.countries) == (1, 5, 0, {})
    assert (resolved.misspelled, resolved.misspelled_domains) == (2, {"gmail.con": 1, "gmial.com": 1})
    assert contacts(resolved) == OWED
    assert all("@" not in repr(found) for found in resolved.findings)


def test_contacts_have_no_country_and_come_in_the_order_of_their_keys(engine: Engine, folder: Path) -> None:
    (rows,) = engine.resolve(query(folder / "a.csv", columns=("prénom",))).chunks()
    assert set(rows.countries) == {""}
    assert rows.keys == sorted(rows.keys) == [contact_key(K, address) for address in rows.addresses]


def test_names_reserved_for_fiction_are_contacts_in_the_sandbox_only(engine: Engine, folder: Path) -> None:
    resolved = engine.resolve(query(folder / "a.csv", columns=("prénom",), fiction=False))
    assert contacts(resolved).keys() == {"ines@gmail.con", "yves@gmial.com"}
    assert (resolved.fiction, resolved.invalid_reasons["fiction"]) == (5, 5)
    assert resolved.rows == resolved.contacts + resolved.already_sent + sum(resolved.excluded.values())


def test_only_the_owed_are_counted_as_mistyped(engine: Engine, folder: Path) -> None:
    held = contact_key(K, "ines@gmail.con")
    resolved = engine.resolve(query(folder / "a.csv", held=held))
    assert (resolved.misspelled_domains, resolved.already_sent) == ({"gmial.com": 1}, 1)


@pytest.mark.parametrize("listed", SPELLINGS)
@pytest.mark.parametrize("addressed", ["zoe@café.example", "ZOE@XN--CAF-DMA.EXAMPLE"])
def test_an_opted_out_address_matches_in_whatever_spelling(
    engine: Engine, tmp_path: Path, listed: str, addressed: str
) -> None:
    (tmp_path / "a.csv").write_text(f"email\n{addressed}\nmarc@café.example\n", encoding="utf-8")
    quoted = '"' + listed.replace('"', '""') + '"'
    (tmp_path / "stop.csv").write_text(f"name;courriel\nx;{quoted}\n", encoding="utf-8")
    resolved = engine.resolve(query(tmp_path / "a.csv", suppressions=(tmp_path / "stop.csv",)))
    assert (resolved.excluded, resolved.contacts, resolved.findings) == ({"suppressed": 1}, 1, ())


@pytest.mark.parametrize("name", ["email", "E-Mail", "e mail", "MAIL", "Courriel"])
def test_a_list_may_have_a_column_for_each_channel(engine: Engine, folder: Path, name: str) -> None:
    (folder / "stop.csv").write_text(
        f"Phone Number;{name}\n0639980001;zoe@acme.example\n;yves@gmial.com\n0639980009;\n"
    )
    lists = {"suppressions": (folder / "stop.csv",)}
    mails, numbers = (engine.resolve(query(folder / file, kind=kind, **lists)) for file, kind in BOTH)
    assert (mails.excluded["suppressed"], numbers.excluded["suppressed"]) == (2, 1)
    assert mails.findings == numbers.findings == ()


BOTH = (("a.csv", AddressKind.EMAIL), ("n.csv", AddressKind.PHONE))


@pytest.mark.parametrize("header", ["", "phone_number\n", "contact\n", "id;email\n"])
def test_a_list_may_mix_numbers_and_e_mail_addresses_in_one_column(engine: Engine, folder: Path, header: str) -> None:
    before = "1;" if ";" in header else ""
    entries = ["zoe@acme.example", "06 39 98 00 01", "Marc <marc@CAFÉ.example>", "+33639980002", "n/a"]
    (folder / "stop.csv").write_text(header + "".join(f"{before}{entry}\n" for entry in entries), encoding="utf-8")
    excluded = {"exclude": (folder / "stop.csv",)}
    mails, numbers = (engine.resolve(query(folder / file, kind=kind, **excluded)) for file, kind in BOTH)
    assert (mails.excluded["excluded"], numbers.excluded["excluded"]) == (2, 2)
    message = "stop.csv: 1 entry of 5 without an address, protecting nobody: row 5"
    assert said(mails) == said(numbers) == [("audience-invalid", Severity.LIMIT, message)]


@pytest.mark.parametrize("content", ["0639980001\n06.39.98.00.02\n", "id;mobile\nx1;0639980001\nx2;0639980002\n"])
@pytest.mark.parametrize("home", ["FR", None])
def test_a_list_of_numbers_protects_nobody_of_an_e_mail_campaign(
    engine: Engine, folder: Path, content: str, home: str | None
) -> None:
    (folder / "stop.csv").write_text(content)
    resolved = engine.resolve(query(folder / "a.csv", suppressions=(folder / "stop.csv",), home=home))
    (found,) = resolved.findings
    assert (found.rule, found.severity) == ("email-address", Severity.INFO)
    assert found.message == "stop.csv: only telephone numbers (2), no e-mail addresses"
    assert found.hint == "it protects nobody of this campaign: list e-mail addresses too"


@pytest.mark.parametrize(
    "content",
    ["zoe@acme.example\n", "id;email\n4711;zoe@acme.example\n", "phone;e_mail\n;zoe@acme.example\n"],
)
def test_a_list_of_e_mail_addresses_protects_nobody_of_an_sms_campaign(
    engine: Engine, folder: Path, content: str
) -> None:
    (folder / "stop.csv").write_text(content)
    resolved = engine.resolve(query(folder / "n.csv", kind=AddressKind.PHONE, suppressions=(folder / "stop.csv",)))
    message = "stop.csv: only e-mail addresses (1), no telephone numbers"
    assert said(resolved) == [("phone", Severity.INFO, message)]
    assert resolved.contacts == 2


@pytest.mark.parametrize(("file", "kind"), BOTH)
def test_a_list_in_which_nothing_is_any_address_is_an_error(
    engine: Engine, folder: Path, file: str, kind: AddressKind
) -> None:
    (folder / "stop.csv").write_text("name\nZoe\nMarc\n12/03/2026\n")
    ((rule, severity, message),) = said(
        engine.resolve(query(folder / file, kind=kind, suppressions=(folder / "stop.csv",)))
    )
    assert (rule, severity) == ("email-address" if kind is AddressKind.EMAIL else "phone", Severity.ERROR)
    assert message == "stop.csv: 3 entries of 3 without an address, protecting nobody"


def test_a_list_never_protects_nobody_because_of_a_name(engine: Engine, folder: Path) -> None:
    (folder / "stop.csv").write_text("phone;adresse\n0639980001;zoe@acme.example\n;yves@gmial.com\n;n/a\n")
    message = "stop.csv, line 1: column 2 holds e-mail addresses and is not called so"
    (refusal,) = refusals(engine, query(folder / "a.csv", suppressions=(folder / "stop.csv",)))
    assert refusal == ("file", message, "name it one of: email, e_mail, mail, courriel")
    (folder / "stop.csv").write_text("tel;mail\n0639980001;zoe@acme.example\n")
    message = "stop.csv, line 1: column 1 holds telephone numbers and is not called so"
    asked = query(folder / "n.csv", kind=AddressKind.PHONE, suppressions=(folder / "stop.csv",))
    assert refusals(engine, asked) == [("file", message, "name it one of: mobile, phone_number, phone")]


def test_numbers_in_a_column_of_e_mail_addresses_protect_too(engine: Engine, folder: Path) -> None:
    (folder / "stop.csv").write_text("id;email\n1;0639980001\n2;+33639980002\n")
    resolved = engine.resolve(query(folder / "n.csv", kind=AddressKind.PHONE, suppressions=(folder / "stop.csv",)))
    assert (resolved.excluded, resolved.findings) == ({"suppressed": 2}, ())


def test_a_list_without_any_column_of_addresses_is_an_error(engine: Engine, folder: Path) -> None:
    (folder / "stop.csv").write_text("nom;adresse\nZoe;zoe@acme.example\n")
    (refusal,) = refusals(engine, query(folder / "a.csv", suppressions=(folder / "stop.csv",)))
    assert refusal[1] == "stop.csv, line 1: has no address column"


def test_an_audience_of_numbers_names_the_reason(engine: Engine, folder: Path) -> None:
    (folder / "a.csv").write_text("email;mobile\n0639980001;zoe@acme.example\n+33 6 39 98 00 02;x@acme.example\n")
    assert engine.resolve(query(folder / "a.csv")).invalid_reasons == {"phone-number": 2}
    asked = query(folder / "a.csv", kind=AddressKind.PHONE)
    assert engine.resolve(asked).invalid_reasons == {"email-address": 2}


def test_an_audience_of_e_mail_addresses_without_a_header_would_lose_a_person(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("zoe@acme.example\nmarc@acme.example\n")
    assert [one[1] for one in refusals(engine, query(tmp_path / "a.csv"))] == ["a.csv, line 1: has no header line"]
