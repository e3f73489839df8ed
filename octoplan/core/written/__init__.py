"""What others write: strict models of their files, and every mistake as a finding with its rule.

A file is judged against its model; what is wrong is then left out (or, where it is required, replaced
by the example of the schema) so that everything that depends on several keys can be judged too: a
person gets all findings at once.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from octoplan.core.paths import folder
from octoplan.core.rules import finding
from octoplan.core.written.document import document, example, level
from octoplan.core.written.mistakes import mistake, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails

    from octoplan.core.model import Finding, KeyPath
    from octoplan.core.source import Source


class Written(BaseModel):
    """A mapping in a file that somebody else wrote: nothing is cast, nothing is ignored."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class File(Written):
    """A whole file, and what only this kind of file may hold."""

    DATES: ClassVar[frozenset[KeyPath]] = frozenset()
    """Where YAML may read a timestamp; elsewhere it is text that lost its quotes."""

    NULLABLE: ClassVar[frozenset[KeyPath]] = frozenset()
    """Where `null` says something; elsewhere it is a value somebody forgot."""


F = TypeVar("F", bound=File)


def leaves(data: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every scalar with its path, in the order of the file; an empty mapping or list has none."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from leaves(value, (*path, index))
    else:
        yield path, data


def change(data: Any, text: Callable[[KeyPath, str], Any], *, path: KeyPath = ()) -> Any:
    """Return a copy of `data` with every text leaf replaced by what `text` makes of it."""
    if isinstance(data, dict):
        return {key: change(value, text, path=(*path, key)) for key, value in data.items()}
    if isinstance(data, list):
        return [change(value, text, path=(*path, index)) for index, value in enumerate(data)]
    return text(path, data) if isinstance(data, str) else data


def fresh(findings: Iterable[Finding], known: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that are not about a value, or a part of one, that is known to be wrong."""
    wrong = [found.path for found in known]
    return tuple(found for found in findings if not any(found.path[: len(path)] == path for path in wrong))


def examine(kind: type[F], source: Source, *, found: Iterable[Finding] = ()) -> tuple[F, tuple[Finding, ...]]:
    """Return a source's data (perhaps rendered) as a `kind`, and all findings with those already `found`.

    With findings the model holds what could be saved.
    """
    known = tuple(found)
    known += fresh(_unquoted(kind, source), known)
    errors: list[ErrorDetails] = []
    try:
        model = _validated(kind, source)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    else:
        if not known:
            return model, ()
    known += fresh((_judged(kind, source, error=error) for error in errors), known)
    wrong = tuple(dict.fromkeys((*(made.path for made in known), *(error["loc"] for error in errors))))
    try:
        return _validated(kind, _without(kind, source, wrong=wrong)), known
    except ValidationError:  # what is left of an item says nothing by itself
        return _validated(kind, _without(kind, source, wrong=map(_whole, wrong))), known


def _without(kind: type[F], source: Source, *, wrong: Iterable[KeyPath]) -> Source:
    """Return the source without what is at the paths; what is required becomes its example."""
    kept = change(source.data, lambda _path, text: text)
    for path in wrong:
        _left_out(kept, path, schema=document(kind))
    return replace(source, data=kept)


def _whole(path: KeyPath) -> KeyPath:
    """Return the path of the whole list that an item is in."""
    return tuple(takewhile(lambda part: isinstance(part, str), path))


def _validated(kind: type[F], source: Source) -> F:
    return kind.model_validate_json(source.json(), context={"folder": folder(source.file)})


def _judged(kind: type[File], source: Source, *, error: ErrorDetails) -> Finding:
    path = error["loc"]
    made = mistake(error, document(kind))
    return replace(made, place=source.key_place(path)) if error["type"] == "extra_forbidden" else made


def _unquoted(kind: type[F], source: Source) -> Iterator[Finding]:
    for path, value in leaves(source.data):
        if value is None and path not in kind.NULLABLE:
            message = f"{named(path)} is empty"
            yield finding("wrong-type", message, path=path, hint="write a value, or remove the key")
        elif path in source.timestamps and path not in kind.DATES and not _is_collection(kind, path):
            message = f"{named(path)} must be text, YAML read a date"
            yield finding("wrong-type", message, path=path, hint="put it in quotes")


def _is_collection(kind: type[File], path: KeyPath) -> bool:
    return level(document(kind), path).get("type") in ("object", "array")


def _left_out(data: Any, path: KeyPath, *, schema: Mapping[str, Any]) -> None:
    *parents, key = path if isinstance(path[-1], str) else _whole(path)
    for parent in parents:
        if not _has(data, parent):  # left out before, for another mistake
            return
        data = data[parent]
    if not isinstance(data, dict):
        return
    if key in level(schema, tuple(parents)).get("required", ()):
        data[key] = change(example(schema, (*parents, key)), lambda _path, text: text)
    else:
        data.pop(key, None)


def _has(data: Any, part: str | int) -> bool:
    return part in data if isinstance(data, dict) else isinstance(data, list) and isinstance(part, int)
