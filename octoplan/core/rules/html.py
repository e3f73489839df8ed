"""Rules on an HTML e-mail body: well-formed in every branch, no script in any spelling, links and images https."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING

from octoplan.core.markup import SLOT, Branches, pieces, tag
from octoplan.core.quoting import quoted
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from octoplan.core.markup import Piece, Tag
    from octoplan.core.model import Finding, FindingFields, KeyPath

MOST_WAYS = 16
"""In how many ways the branches may write one tag."""

MOST_OPEN = 256
"""How many elements may be inside each other: mail programs have limits of their own."""

ALLOWED = "https, mailto:, tel:, cid:, #anchor"

_VOID = frozenset(
    (
        *("area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen"),
        *("link", "meta", "param", "source", "track", "wbr"),
    )
)
_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "center", "details", "dialog", "dir", "div", "dl"),
        *("fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header"),
        *("hgroup", "hr", "main", "menu", "nav", "ol", "p", "pre", "search", "section", "table", "ul"),
    )
)
_ROWS = frozenset(("tbody", "tfoot", "thead", "tr"))
_CLOSED_BY = {
    "html": frozenset[str](),
    "head": frozenset(("body",)),
    "body": frozenset[str](),
    "p": _BLOCKS,
    "li": frozenset(("li",)),
    "dt": frozenset(("dt", "dd")),
    "dd": frozenset(("dt", "dd")),
    "caption": _ROWS | {"colgroup"},
    "colgroup": _ROWS,
    "thead": frozenset(("tbody", "tfoot")),
    "tbody": frozenset(("tbody", "tfoot")),
    "tfoot": frozenset(("tbody",)),
    "tr": _ROWS,
    "td": _ROWS | {"td", "th"},
    "th": _ROWS | {"td", "th"},
    "option": frozenset(("option", "optgroup")),
    "optgroup": frozenset(("optgroup",)),
    "rt": frozenset(("rt", "rp")),
    "rp": frozenset(("rt", "rp")),
}
"""Elements whose end tag may be left out, and the elements that end them."""
_SCOPES = frozenset(("table", "td", "th", "caption", "button"))
"""Elements that a `<p>` outside does not notice what is in."""
_RAW = frozenset(("style", "title", "textarea", "script", "iframe", "noembed", "noframes", "xmp"))
"""Elements that hold text up to their end tag, whatever it looks like."""

_REFUSED = dict.fromkeys(
    (
        *("applet", "base", "embed", "form", "frame", "frameset", "iframe", "link", "math", "noembed", "noframes"),
        *("noscript", "object", "plaintext", "portal", "script", "svg", "template", "xmp"),
    ),
    "remove it: mail programs run and load nothing",
) | {
    "base": "write whole addresses",
    "form": "link to a page with the form",
    "link": "write the styles into `<style>` or `style=`",
    "svg": "use an image",
}
_ADDRESSES = frozenset(
    (
        *("action", "archive", "background", "cite", "classid", "codebase", "data", "dynsrc", "formaction", "href"),
        *("icon", "longdesc", "lowsrc", "manifest", "ping", "poster", "profile", "src"),
    )
)
_SETS = frozenset(("srcset", "imagesrcset"))

_COMMENT = re.compile(r"<!--(?!-?>)(.*?)-->", re.DOTALL)
_ABRUPT = re.compile("<!---?>")
_DECLARATION = re.compile(r"<!(?:doctype\b[^<>]*|\[(?:if\b[^<>\[\]]*|endif)\])>", re.IGNORECASE)
_INSIDE = re.compile(r"""<(?:[^<>"']++|"[^"]*+"|'[^']*+')*+""")
_TAG_BEGINS = re.compile(r"<(?:/?[A-Za-z]|/?\Z)")
_ANY_TAG = re.compile(r"""</?[A-Za-z?](?:[^<>"']++|"[^"]*+"|'[^']*+')*+>""")
_ANY_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style", re.IGNORECASE | re.DOTALL)
_CONDITIONAL = re.compile(r"\s*\[if\b", re.IGNORECASE)
_DESCRIPTOR = re.compile(r"[0-9.]+[wxh],?")
_LONGEST_END = len("</textarea>")

_UNSEEN = re.compile("[\0-\x20\x7f-\xa0\u200b-\u200d\u2060\ufeff]+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")
_SCRIPT = re.compile(r"(?:java|vb|live)script:")
_STYLE_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})[ \t\n\f\r]?|(.))", re.IGNORECASE | re.DOTALL)
_STYLE_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_STYLE_ADDRESS = re.compile(r"""\b(?:url|src)\(\s*["']?([^"')]*)|["']((?:[a-z][a-z0-9+.-]*:)?//[^"']*)""")
_STYLE_CODE = re.compile(r"@import|expression\(|-moz-binding|\bbehavior\s*:|(?:java|vb)script:")


@dataclass(frozen=True, slots=True)
class _State:
    """Where reading has come to: open elements, and what was read of an unfinished tag, in each way it is written."""

    open: tuple[str, ...] = ()
    rests: tuple[str, ...] = ("",)


def check_html(folded: str, path: KeyPath) -> tuple[Finding, ...]:
    """Return what is wrong with a folded HTML text, whichever branches a contact gets; a contact's value is text."""
    page = _Page(path)
    page.finish(page.read(pieces(folded), _State()))
    return page.found


class _Page:
    """Reads a text piece by piece and notes what is wrong, each thing once."""

    def __init__(self, path: KeyPath) -> None:
        self._path = path
        self._noted: dict[tuple[str, str], Finding] = {}

    @property
    def found(self) -> tuple[Finding, ...]:
        """What is wrong, in the order of the text."""
        return tuple(self._noted.values())

    def read(self, parts: Sequence[Piece], state: _State) -> _State:
        """Read pieces one after the other; every branch starts where the branches do, and all must end alike."""
        for part in parts:
            if isinstance(part, Branches):
                state = self._joined([self.read(arm, state) for arm in part.arms])
            else:
                state = self._joined([self._scan(rest + part, state.open) for rest in state.rests])
        return state

    def finish(self, state: _State) -> None:
        """Note what is still open at the end."""
        for rest in () if _raw(state.open) else filter(None, state.rests):
            hint = "end a tag with `>`, a comment with `-->`, and a value with its quote"
            self._note(f"{_shown(rest)} is not finished", hint=hint)
        for name in state.open:
            if name not in _CLOSED_BY:
                self._note(f"`<{name}>` is never closed", hint=f"write `</{name}>`")

    def _joined(self, states: Sequence[_State]) -> _State:
        opens = list(dict.fromkeys(state.open for state in states))
        if len(opens) > 1:
            opens = list(dict.fromkeys(map(_needed, opens)))
        if len(opens) > 1:
            listed = " or ".join(f"`<{each[-1]}>`" if each else "nothing" for each in opens[:2])
            message = f"the branches of an `{{% if %}}` leave different elements open: {listed}"
            self._note(message, hint="close in each branch what it opens, and nothing else")
        rests = tuple(dict.fromkeys(rest for state in states for rest in state.rests))
        if len(rests) > MOST_WAYS:
            message = f"`{{% if %}}` writes one tag or style in more than {MOST_WAYS} ways"
            self._note(message, hint="put whole elements into the branches")
        return _State(opens[0], rests[:MOST_WAYS])

    def _scan(self, text: str, opened: tuple[str, ...]) -> _State:
        """Read what is complete of a text."""
        position = 0
        while True:
            raw = _raw(opened)
            start = _end_of(raw, text, position=position) if raw else text.find("<", position)
            if start < 0:
                return _State(opened, (_kept(text[position:], raw),))
            end, written = self._token(text, start)
            if end is None:
                rest = text[position:] if raw == "style" else text[start:]
                return _State(opened, (_kept(rest, raw and "style"),))
            if raw == "style":
                self._style("`<style>`", text[position:start])
            if written:
                opened = self._element(written, opened)
            position = end

    def _token(self, text: str, start: int) -> tuple[int | None, str]:
        """Return where what begins with `<` ends, None if it does not, and the tag it is, if it is one."""
        if text.startswith("<!", start) or "<!".startswith(text[start:]):
            return self._declaration(text, start), ""
        if not _TAG_BEGINS.match(text, start):
            self._note("a `<` begins no tag", hint="write `&lt;`")
            return start + 1, ""
        end = _within(text, start)
        if text[end : end + 1] == ">":
            return end + 1, text[start : end + 1]
        if text[end : end + 1] == "<":
            self._note(f"{_shown(text[start:end])} is not finished", hint="end a tag with `>`, write `&lt;` for a `<`")
            return end, ""
        return None, ""

    def _declaration(self, text: str, start: int) -> int | None:
        """Return where a comment or declaration ends, None if it does not."""
        comment = _COMMENT.match(text, start)
        known = comment or _DECLARATION.match(text, start)
        if comment:
            self._comment(comment[1])
        if known:
            return known.end()
        end = text.find(">", start)
        if end < 0 or (text.startswith("<!--", start) and not _ABRUPT.match(text, start)):
            return None
        hint = "only `<!doctype html>` and comments from `<!--` to `-->` are read"
        self._note(f"{_shown(text[start : end + 1])} is no comment to everybody", hint=hint)
        return end + 1

    def _comment(self, content: str) -> None:
        """Look into a comment that some mail programs read as markup; its elements may be open."""
        if "--!>" in content:
            self._note("a comment holds `--!>`, which ends it for some", hint="remove it")
        if not _CONDITIONAL.match(content):
            return
        for written in _ANY_TAG.findall(content):
            read = tag(written)
            if read is None:
                self._unreadable(written)
            elif read.name != "noscript":
                self._judge(read)
        for style in _ANY_STYLE.findall(content):
            self._style("`<style>`", style)

    def _element(self, written: str, opened: tuple[str, ...]) -> tuple[str, ...]:
        """Judge one tag and return the elements that are open after it."""
        read = tag(written)
        if read is None:
            self._unreadable(written)
            return opened
        if read.closes:
            return self._close(read.name, opened)
        self._judge(read)
        opened = _ended_by(read.name, opened)
        if read.name in _BLOCKS and _inside_p(opened):
            message = f"`<{read.name}>` cannot stand in a `<p>`, and `<{opened[-1]}>` keeps that open"
            self._note(message, hint=f"close `<{opened[-1]}>` first, or write `<div>` for `<p>`")
        if read.closed and read.name not in _VOID:
            self._note(f"`<{read.name}/>` does not close itself", hint=f"write `<{read.name}></{read.name}>`")
            return opened
        if len(opened) == MOST_OPEN:
            message = f"more than {MOST_OPEN} elements are inside each other"
            self._note(message, hint="close what is open, or flatten it")
            return opened
        return opened if read.name in _VOID else (*opened, read.name)

    def _close(self, name: str, opened: tuple[str, ...]) -> tuple[str, ...]:
        needed = len(opened)
        while needed and opened[needed - 1] != name and opened[needed - 1] in _CLOSED_BY:
            needed -= 1
        if needed and opened[needed - 1] == name:
            return opened[: needed - 1]
        if name not in opened:
            self._note(f"`</{name}>` closes nothing", hint=f"remove it, or write `<{name}>` before it")
            return opened
        self._note(
            f"`</{name}>` comes before `</{opened[needed - 1]}>`", hint="close elements in order, the last first"
        )
        return opened[: len(opened) - 1 - opened[::-1].index(name)]

    def _judge(self, read: Tag) -> None:
        """Note what an element must not be or have."""
        if read.name in _REFUSED:
            self._note(f"`<{read.name}>` is not allowed", hint=_REFUSED[read.name])
        for name, value in read.attributes:
            self._attribute(f"`<{read.name} {name}>`", name.rpartition(":")[2], value=unescape(value))

    def _attribute(self, where: str, name: str, *, value: str) -> None:
        if name.startswith("on") or name == "srcdoc":
            self._note(f"{where} is not allowed: it runs a script", hint="remove it: mail programs run nothing")
        elif name == "http-equiv":
            self._note(f"{where} is not allowed", hint='remove it, or write `<meta charset="utf-8">`')
        elif name in _ADDRESSES:
            self._address(where, value)
        elif name in _SETS:
            for address in value.split():
                if not _DESCRIPTOR.fullmatch(address):
                    self._address(where, address.strip(","))
        elif name == "style":
            self._style(where, value)
        elif _SCRIPT.match(_squeezed(value)):
            self._note(f"{where} holds a script", value=value, hint="remove it")

    def _address(self, where: str, value: str) -> None:
        address = _squeezed(value)
        if address.startswith(("mailto:", "tel:", "cid:", "#")):
            return
        problem, hint = _address_problem(address)
        if problem:
            self._note(f"the address in {where} {problem}", value=value, limit=ALLOWED, hint=hint)

    def _style(self, where: str, written: str) -> None:
        plain = _STYLE_COMMENT.sub("", _STYLE_ESCAPE.sub(_style_character, written)).lower()
        if SLOT in plain:
            hint = "write the styles out, and choose between them with `{% if %}`"
            self._note(f"{where} holds a contact's value", hint=hint)
        for found in _STYLE_ADDRESS.finditer(plain):
            self._address(where, found[1] or found[2] or "")
        code = _STYLE_CODE.search(plain)
        if code:
            self._note(f"{where} runs or loads something", value=code[0], hint="remove it")

    def _unreadable(self, written: str) -> None:
        hint = 'write `name="value"` with blanks between; a contact\'s value may be in text and in quotes only'
        self._note(f"{_shown(written)} is no tag to everybody", hint=hint)

    def _note(self, message: str, *, hint: str, value: str = "", limit: str | None = None) -> None:
        if (message, value) not in self._noted:
            shown = _shown(value)[1:-1] if value else None
            fields: FindingFields = {"path": self._path, "value": shown, "limit": limit, "hint": hint}
            self._noted[message, value] = finding("email-body", message, **fields)


def _raw(opened: tuple[str, ...]) -> str:
    return opened[-1] if opened and opened[-1] in _RAW else ""


def _end_of(raw: str, text: str, *, position: int) -> int:
    """Return where the end tag of an element begins that holds text only, or -1."""
    found = re.compile(rf"</{raw}(?=[ \t\n\f\r/>])", re.IGNORECASE).search(text, position)
    return found.start() if found else -1


def _within(text: str, start: int) -> int:
    """Return the end of what is inside a tag: where it ends, another begins, or a quote stays open."""
    found = _INSIDE.match(text, start)
    return found.end() if found else start


def _kept(text: str, raw: str) -> str:
    """Return what must be read again with what follows, as little as can be: branches may multiply it."""
    if raw:
        return text if raw == "style" else text[-_LONGEST_END:]
    if text.startswith("<!--") and not _CONDITIONAL.match(text, len("<!--")) and len(text) > _LONGEST_END:
        return f"<!-- {text[-2:]}"
    return text if text.startswith("<") else ""


def _needed(opened: tuple[str, ...]) -> tuple[str, ...]:
    """Return the open elements without the last that need no end tag."""
    while opened and opened[-1] in _CLOSED_BY:
        opened = opened[:-1]
    return opened


def _ended_by(name: str, opened: tuple[str, ...]) -> tuple[str, ...]:
    """Return the elements that stay open where an element begins."""
    ended = len(opened)
    for index in range(len(opened) - 1, -1, -1):
        if opened[index] not in _CLOSED_BY:
            break
        if name in _CLOSED_BY[opened[index]]:
            ended = index
    return opened[:ended]


def _inside_p(opened: tuple[str, ...]) -> bool:
    return next((name for name in reversed(opened) if name == "p" or name in _SCOPES), "") == "p"


def _squeezed(value: str) -> str:
    """Return an address as the most forgiving reader takes it."""
    return _UNSEEN.sub("", value).lower()


def _address_problem(address: str) -> tuple[str, str]:
    """Return what is wrong with an address that must be https, and the way out; empty if nothing is."""
    begin = re.split("[:/?#]", address, maxsplit=1)[0]
    host = re.split("[/?#]", address.removeprefix("https://"), maxsplit=1)[0]
    if SLOT in begin:
        return "takes its scheme and host from a contact's value", "write `https://` and the host, the value after them"
    if not address.startswith("https://"):
        scheme = _SCHEME.match(address)
        found = f"is `{scheme[0]}`" if scheme else "has no scheme"
        return found, "write a whole `https://` address"
    if SLOT in host:
        return "takes its host from a contact's value", "write the whole host and a `/`, the value after them"
    if not host or "@" in host or "\\" in address:
        return "is read in different ways", "write `https://`, a host, `/` and a path"
    return "", ""


def _style_character(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return str(escape[2])
    number = int(escape[1], 16)
    return chr(number) if number <= sys.maxunicode else "\ufffd"


def _shown(text: str) -> str:
    return quoted(text.replace(SLOT, "{{…}}"))
