"""Checks of e-mails: subject, body, service, and who they come from.

Static subjects are judged when a campaign is read, the others as each contact would see them.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from octoplan.core.email import canonical
from octoplan.core.message import LOCALE, SERVICES
from octoplan.core.model import Channel, Purpose
from octoplan.core.quantity import quantity
from octoplan.core.quoting import quoted, suggestion
from octoplan.core.rules import ERROR, WARNING, finding
from octoplan.core.rules.html import check_html
from octoplan.core.rules.rcs import is_open

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from octoplan.core.message import Message
    from octoplan.core.model import Campaign, Finding, KeyPath

LONGEST_SUBJECT, USUAL_SUBJECT = 1000, 70

_MESSAGE: KeyPath = ("message",)
SUBJECT: KeyPath = ("message", "subject")


def check(campaign: Campaign) -> Iterator[Finding]:
    """Yield what these rules find; nothing for another channel."""
    if campaign.channel is not Channel.EMAIL:
        return
    message = campaign.message
    yield from _body(message)
    yield from _template(message)
    yield from _service(message)
    yield from _language(campaign)
    yield from _from(message)
    if message.subject is None:
        hint = "for example `subject: Your card is ready`"
        yield finding("subject", "`message.subject` is missing", path=SUBJECT, hint=hint)
    for locale, content in message.contents.items():
        if content.subject is not None and not is_open(content.subject):
            yield from subject([content.subject], path=_localised(message.subject, "subject", locale=locale))
        if content.text is not None and message.format == "html":
            yield from check_html(content.text, _localised(message.text, "text", locale=locale))


def subject(texts: Sequence[str], *, path: KeyPath = SUBJECT) -> tuple[Finding, ...]:
    """Return what is wrong with rendered subjects, counted; one alone is a static one."""
    judged = Subjects(path, many=len(texts) > 1)
    judged.look(texts)
    return judged.findings()


class Subjects:
    """Judges subjects chunk by chunk; `many` says that the counts are of contacts."""

    def __init__(self, path: KeyPath = SUBJECT, *, many: bool = True) -> None:
        self._path = path
        self._many = many
        self._contacts: Counter[str] = Counter()
        self._longest = 0

    def look(self, texts: Sequence[str]) -> None:
        """Judge one chunk."""
        for text in texts:
            problem = _problem(text)
            if problem:
                self._contacts[problem] += 1
        self._longest = max(self._longest, *map(len, texts))

    def findings(self) -> tuple[Finding, ...]:
        """Return one finding a kind of mistake."""
        return tuple(self._finding(kind, count) for kind, count in self._contacts.items())

    def _finding(self, kind: str, contacts: int) -> Finding:
        what, hint = _SUBJECT[kind]
        who = f" for {quantity(contacts, 'contact')}" if self._many else ""
        limit = {"long": f"{LONGEST_SUBJECT:,}", "longish": str(USUAL_SUBJECT)}.get(kind)
        return finding(
            "subject",
            f"the subject {what}{who}",
            severity=WARNING if kind == "longish" else ERROR,
            path=self._path,
            value=f"{self._longest:,}" if limit else None,
            limit=limit,
            hint=hint,
        )


_SUBJECT = {
    "empty": ("is empty", "write one"),
    "lines": ("has a line break", "write it on one line; a `|` block ends with one"),
    "blanks": ("has blanks around it", "remove them"),
    "long": ("is longer than an e-mail takes", "shorten it"),
    "longish": ("is longer than most inboxes show", "shorten it, or accept it under `allow`"),
}


def _problem(text: str) -> str:
    if not text.strip():
        return "empty"
    if len(text.splitlines()) > 1 or text.splitlines()[0] != text:
        return "lines"
    if text != text.strip():
        return "blanks"
    if len(text) > LONGEST_SUBJECT:
        return "long"
    return "longish" if len(text) > USUAL_SUBJECT else ""


def _body(message: Message) -> Iterator[Finding]:
    if message.text is not None and message.template is not None:
        hint = "keep the text, or the provider's template"
        yield finding("email-body", "`message` has both `text` and `template`", path=(*_MESSAGE, "template"), hint=hint)
    if message.template is not None and message.format != "plain":
        hint = "remove it: a template has its own"
        yield finding("email-body", "`message.format` belongs to a `text`", path=(*_MESSAGE, "format"), hint=hint)


def _template(message: Message) -> Iterator[Finding]:
    for locale, content in message.contents.items():
        name = content.template
        if name is not None and not (name.strip() == name != "" and name.isprintable() and "{" not in name):
            told = "`message.template` must be the name of a template: one line, without braces and outer blanks"
            path = _localised(message.template, "template", locale=locale)
            yield finding("email-body", told, path=path, hint="write it as in the provider's settings")


def _service(message: Message) -> Iterator[Finding]:
    service = message.service
    if service in SERVICES:
        return
    listed = ", ".join(SERVICES)
    what = "is missing" if service is None else f"must be {' or '.join(SERVICES)}"
    hint = "gateway for single notices, mailbox for newsletters" if service is None else suggestion(service, SERVICES)
    value = None if service is None else quoted(service)[1:-1]
    path = (*_MESSAGE, "service")
    yield finding("email-service", f"`message.service` {what}", path=path, value=value, limit=listed, hint=hint)


def _language(campaign: Campaign) -> Iterator[Finding]:
    """Judge the language of the unsubscribe mention: it must be that of the text it stands under."""
    message, path = campaign.message, (*_MESSAGE, "language")
    if campaign.purpose is Purpose.MARKETING and message.language is None:
        told = "marketing needs `message.language`: the language of the unsubscribe mention"
        yield finding("email-service", told, path=path, hint="for example `language: fr`")
    for locale, content in message.contents.items() if message.language is not None else ():
        if not re.fullmatch(LOCALE, content.language or "", re.ASCII):
            told = "`message.language` must be a language, such as fr or pt-BR"
            where = _localised(message.language, "language", locale=locale)
            yield finding("email-service", told, path=where, hint="for example `language: fr`")
        elif message.locale and content.language != locale:
            told = f"the unsubscribe mention of the text in {locale} would be in {quoted(str(content.language))}"
            hint = "remove `language`: with `locale` it is that of each text"
            yield finding("email-service", told, path=path, value=content.language, limit=locale, hint=hint)


def _from(message: Message) -> Iterator[Finding]:
    if message.from_ is None:
        hint = "for example `from: {address: shop@acme.example, name: ACME}`"
        yield finding("email-address", "`message.from` is missing", path=(*_MESSAGE, "from"), hint=hint)
        return
    read = canonical(message.from_.address)
    if isinstance(read, str):
        told = f"`from.address` is no e-mail address: {read}"
        path = (*_MESSAGE, "from", "address")
        yield finding("email-address", told, path=path, hint="for example `address: shop@acme.example`")
    name = message.from_.name
    if name is not None and not (name.strip() and name.isprintable()):
        path = (*_MESSAGE, "from", "name")
        hint = "for example `name: ACME`"
        yield finding("email-address", "`from.name` must be one line of text", path=path, hint=hint)


def _localised(value: object, name: str, *, locale: str) -> KeyPath:
    return (*_MESSAGE, name) if not locale or isinstance(value, str) else (*_MESSAGE, name, locale)
