"""What a voice reads badly, and what does not sound like a service message: kinds and counts, never a value."""

from __future__ import annotations

import pytest

from octoplan.core.model import Severity
from octoplan.core.rules.spoken import ReadAloud, Wording

PATH = ("message", "text")


def kinds(judge: ReadAloud | Wording, text: str) -> str:
    judge.look([text])
    return "".join(found.message.partition(": ")[2] for found in judge.findings(PATH)).replace(" (1)", "")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Voir https://acme.example/a", "web addresses"),
        ("Voir Www.acme.xyz", "web addresses"),
        ("Voir acme.fr, merci", "web addresses"),
        ("Voir acme.fr.", "web addresses"),
        ("Voir shop.acme.co.uk/promo", "web addresses"),
        ("Ecrire à crm@acme.xyz", "e-mail addresses"),
        ("Ecrire à crm@acme.fr", "web addresses, e-mail addresses"),
        ("Fermé à 20h30", "times in digits"),
        ("Fermé à 8 h 05.", "times in digits"),
        ("9:15", "times in digits"),
        ("Total 1 250,50 €", "amounts with a symbol"),
        ("12€50 ou $5 ou 5£", "amounts with a symbol"),
        ("ACME vous parle", "words in capitals"),
        ("Le train de la SNCF", "words in capitals"),
        ("ÉTÉ", "words in capitals"),
        ("A la CAF-DE", "words in capitals"),
        ("Bravo 🎉", "emoji"),
        ("Bravo ❤️", "emoji"),
        ("Vu ✔", "emoji"),
        ("🇫🇷", "emoji"),
    ],
)
def test_what_a_voice_reads_badly_is_named_by_kind(text: str, kind: str) -> None:
    assert kinds(ReadAloud(), text) == kind
    assert kinds(ReadAloud(), f"Bonjour.\n{text}") == kind


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour Zoé, rendez-vous le 12 mars à 20 heures 30, à Lyon. Le prix est de 1250 euros 50.",
        "S.N.C.F., le TGV".replace("TGV", "train"),
        "Appelez le 01 99 00 12 34. Merci.Au revoir",
        "Le IV ou le XI, EU",
        "12.05.2026, 3.14, n.c., etc.",
        "Score 3:2, chapitre 12:345, 1.20h30",
        "aBCDe, iOS17, X1Y2Z3, ABc",
        "à 20 heures, dans 2 h",
        "",
    ],
)
def test_what_a_voice_reads_well_is_fine(text: str) -> None:
    assert kinds(ReadAloud(), text) == ""


def test_contacts_are_counted_over_all_chunks_and_nothing_of_them_is_told() -> None:
    judge = ReadAloud()
    judge.look(["Zoé, 12 €", "Zoé DUPONT, 20h30", "Zoé"])
    judge.look(["Zoé"])
    judge.look(["DUPONT 12 €"] * 1200)
    (found,) = judge.findings(PATH)
    assert (found.rule, found.severity, found.path) == ("read-aloud", Severity.WARNING, PATH)
    assert found.message == (
        "the texts of 1,202 contacts hold what a voice reads badly: "
        "times in digits (1), amounts with a symbol (1,201), words in capitals (1,201)"
    )
    assert found.hint == (
        "write a time as it is said: `20 heures 30`; "
        "write an amount as it is said, without blanks inside: `1250 euros 50`; "
        "write a word in small letters, and letters to be spelt with points: `S.N.C.F.`"
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Votre colis. STOP au XXXXX", "a stop mention"),
        ("Votre colis. STOP 36180", "a stop mention"),
        ("Pour vous désabonner: acme.fr", "a stop mention"),
        ("Se DESABONNER ici", "a stop mention"),
        ("Click here to Unsubscribe", "a stop mention"),
        ("Grande promo", "`promo`"),
        ("PROMOTIONS", "`promo`"),
        ("une remise, nos Offres", "`remise`, `offre`"),
        ("Les SOLDES", "`soldes`"),
        ("-20% ici", "a discount in percent"),
        ("jusqu'à -20 %", "a discount in percent"),
        ("(-12,5 %)", "a discount in percent"),
        ("\u221220\u202f%", "a discount in percent"),
    ],
)
def test_marketing_is_named_by_kind(text: str, kind: str) -> None:
    assert kinds(Wording(), text) == kind
    assert kinds(Wording(), f"Bonjour.\n{text}") == kind


@pytest.mark.parametrize(
    "text",
    [
        "Votre solde est de 12 €. Votre code est 123.",
        "Rendez-vous promu, coffre, offert, soldesque, promontoire",
        "entre 10-20 % de retard, TVA de 20 %",
        "stop au bruit, Stop 36",
        "",
    ],
)
def test_a_service_message_is_fine(text: str) -> None:
    assert kinds(Wording(), text) == ""


def test_wording_says_how_many_and_the_way_out() -> None:
    judge = Wording()
    judge.look(["Zoé: remise -20 %", "Zoé"])
    (found,) = judge.findings(PATH)
    assert (found.rule, found.severity, found.path) == ("marketing-as-transactional", Severity.WARNING, PATH)
    assert found.message == ("the texts of 1 contact sound like marketing: `remise` (1), a discount in percent (1)")
    assert "purpose: marketing" in found.hint
    assert Wording().findings(PATH) == ()
