"""Step 2, first half: the text leaves of a campaign file, rendered, once for each item of `for_each`.

Only what a person reads may name `contact`, and stays a template over it alone; a text in a file of its
own comes in here too, with the places of what it names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from octoplan.core import paths
from octoplan.core.message import LOCALE
from octoplan.core.model import Place
from octoplan.core.rules import finding
from octoplan.core.templates import Origin, Renderer, Unreadable, fold, parse
from octoplan.core.written import change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from octoplan.core.model import Finding, KeyPath
    from octoplan.core.source import Source

    Read = Callable[[str], str]

FOR_EACH = "for_each"
TEXT: KeyPath = ("message", "text")
TEXT_FILE: KeyPath = ("message", "text_file")

_LOCALISED = ("text", "subject")
_OF_CARDS = ("title", "description")
_OF_ACTIONS = ("label", "open_url", "postback")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A file's data for one item of `for_each`, what was found, and where each contact column is first named."""

    source: Source
    findings: tuple[Finding, ...]
    uses: Mapping[str, Place]


def items(source: Source) -> Iterator[Mapping[str, Any]]:
    """Yield what `each` stands for, one mapping a campaign; whether they are well written is judged elsewhere."""
    written = source.data.get(FOR_EACH)
    found = [item for item in written if isinstance(item, dict)] if isinstance(written, list) else []
    yield from found or [{}]


def render(source: Source, values: Mapping[str, Any], *, stop: Callable[[str | None], str], read: Read) -> Rendered:
    """Render every text leaf with the roots of `values`, the id and the provider first: the others may need them.

    `stop` gives a provider's opt-out mention (None: the default provider's); `read` the text of a project
    file, or raises `templates.Unreadable`.
    """
    leaves = _Leaves(source, dict(values), read)
    names = {
        key: change(source.data[key], leaves.fill, path=(key,)) for key in ("id", "provider") if key in source.data
    }
    leaves.values["campaign"] = {"id": str(names.get("id", ""))}
    leaves.values["stop"] = stop(names.get("provider"))
    data = {
        key: names[key] if key in names else value if key == FOR_EACH else change(value, leaves.fill, path=(key,))
        for key, value in source.data.items()
    }
    aliases = leaves.take_files(data)
    rendered = replace(source, data=data, aliases=aliases)
    return Rendered(source=rendered, findings=tuple(leaves.found), uses=leaves.uses)


def may_name_contact(path: KeyPath) -> bool:
    """Tell whether a text is what a person reads, and so may name `contact`."""
    match path:
        case ("message", name) | ("message", name, str()) if name in _LOCALISED:
            return True
        case ("message", "cards", int(), name) if name in _OF_CARDS:
            return True
        case ("message", "actions", int(), name) | ("message", "cards", int(), "actions", int(), name):
            return name in _OF_ACTIONS
    return False


def _is_localised(item: tuple[str, Any]) -> bool:
    locale, name = item
    return isinstance(name, str) and re.fullmatch(LOCALE, locale, re.ASCII) is not None


@dataclass(slots=True)
class _Leaves:
    """Fills one leaf after the other, and keeps what it finds."""

    source: Source
    values: dict[str, Any]
    read: Read
    found: list[Finding] = field(default_factory=list)
    uses: dict[str, Place] = field(default_factory=dict)

    def fill(self, path: KeyPath, text: str, *, file: str | None = None) -> str:
        """Return a leaf rendered, or folded over `contact`; as it is where something is wrong with it."""
        contact = may_name_contact(path)
        if not contact and "{" not in text:
            return text
        folder = paths.folder(file or self.source.file)
        origin = Origin(folder=folder, file=file, read=self.read)
        template, problems = parse(text.rstrip("\n") if contact else text, path, origin=origin)
        if template is None or problems:
            self.found += problems
            return text
        folded, problems = fold(template, self.values, contact=contact)
        self.found += problems
        for column, (where, within) in template.uses().items() if contact else ():
            place = Place(file=where, line=within[0], column=within[1]) if where else self.source.place(path, within)
            self.uses.setdefault(column, place)
        if problems:
            return text
        return folded if contact else Renderer(folded).render({}, 1)[0]

    def take_files(self, data: dict[str, Any]) -> dict[KeyPath, KeyPath]:
        """Put the texts that are in files of their own where `text` would be; return which keys stand for which."""
        written = data.get("message")
        message: dict[str, Any] = written if isinstance(written, dict) else {}
        named = message.get("text_file")
        if isinstance(named, str):
            texts: Any = self._taken((), named)
        elif isinstance(named, dict) and all(map(_is_localised, named.items())):
            texts = {locale: self._taken((locale,), name) for locale, name in named.items()}
            texts = None if None in texts.values() else texts
        else:
            return {}
        if "text" in message:
            both = "`message` has both `text` and `text_file`"
            self.found.append(finding("wrong-value", both, path=TEXT_FILE, hint="keep one of them"))
            return {}
        data["message"] = message if texts is None else {**message, "text": texts}
        return {TEXT: TEXT_FILE}

    def _taken(self, locale: tuple[str, ...], name: str) -> str | None:
        try:
            file = paths.resolve(name, within=paths.folder(self.source.file))
            text = None if paths.is_hidden(file) else self.read(file)
        except paths.Outside as problem:
            self._refuse(locale, f"`message.text_file` is not usable: {problem}", hint="name a file of the project")
        except Unreadable as problem:
            self._refuse(locale, f"`message.text_file`: {problem.message}", hint=problem.hint)
        else:
            if text is not None:
                return self.fill((*TEXT, *locale), text, file=file)
            told = "`message.text_file` is a hidden file, which is not for messages"
            self._refuse(locale, told, hint="name a text file of the project")
        return None

    def _refuse(self, locale: tuple[str, ...], message: str, *, hint: str) -> None:
        self.found.append(finding("file", message, path=(*TEXT_FILE, *locale), hint=hint))
