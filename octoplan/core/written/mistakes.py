"""What is wrong with a written file, in the words of the rules; values are shown only where no address can be."""

from __future__ import annotations

import re
from difflib import get_close_matches as near
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError

from octoplan.core.quoting import quoted, suggestion
from octoplan.core.rules import RULES, finding
from octoplan.core.written.document import example, level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails

    from octoplan.core.model import Finding, KeyPath

RESERVED = frozenset(
    {
        "autooptimizetext",
        "autoremoveblacklistedcontacts",
        "autoremoveblacklistednumbers",
        "baseurl",
        "endpoint",
        "host",
        "requestid",
        "simulation",
        "simulationmode",
        "url",
    }
)
"""Keys, without case and punctuation, that octoplan sets itself."""

SECRET = frozenset(
    {
        "accesstoken",
        "apikey",
        "apilogin",
        "apisecret",
        "apitoken",
        "applicationid",
        "applicationsecret",
        "auth",
        "authorization",
        "clientsecret",
        "credentials",
        "key",
        "login",
        "passwd",
        "password",
        "privatekey",
        "secret",
        "token",
    }
)
"""Keys, without case and punctuation, whose value must not be in a file."""

_PRIVATE = frozenset(
    {
        "application_id",
        "application_secret",
        "connection",
        "connections",
        "contact_ids",
        "contacts",
        "fallback",
        "key",
        "login",
        "test_contacts",
        "url",
        "vars",
    }
)
"""Keys whose values, or the values below, are never shown."""

_ADDRESS = re.compile(r"\d(?:[\s./()-]*\d){5}|@")

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ][\d:]{1,8})?")

_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?")

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "decimal_type": "a number",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "tuple_type": "a list",
}

_KINDS = {
    str: "text",
    int: "a number",
    float: "a number with decimals",
    list: "a list",
    dict: "keys and values",
    type(None): "nothing",
}

_MUST = {
    "greater_than_equal": "be at least {ge}",
    "less_than_equal": "be at most {le}",
    "string_too_short": "not be empty",
    "string_too_long": "be at most {max_length} characters long",
}


def wrong(message: str, *, rule: str = "wrong-value", hint: str = "") -> PydanticCustomError:
    """Make the error by which a check of one value reports a finding; `message` continues its name."""
    return PydanticCustomError(rule, "{message}", {"message": message, "hint": hint})


def mistake(error: ErrorDetails, schema: Mapping[str, Any]) -> Finding:
    """Turn what pydantic found into a finding."""
    path, kind, context = error["loc"], error["type"], error.get("ctx", {})
    if kind in RULES:
        message, hint = f"{named(path)} {context['message']}", context["hint"] or _for_example(path, schema)
        return finding(kind, message, path=path, value=shown(error["input"], path), hint=hint)
    if kind == "extra_forbidden":
        return unknown_key(path, level(schema, path[:-1]).get("properties", {}))
    if kind == "missing":
        return _missing(path, schema)
    if kind in _EXPECTED:
        return _wrong_type(error, schema)
    if kind == "literal_error":
        return wrong_choice(path, error["input"], allowed=re.findall(r"'([^']*)'", context["expected"]))
    must = _MUST[kind].format(**context)
    hint = _for_example(path, schema)
    return finding("wrong-value", f"{named(path)} must {must}", path=path, value=shown(error["input"], path), hint=hint)


def unknown_key(path: KeyPath, keys: Iterable[str]) -> Finding:
    """Report a key that does not exist at its level; its value is never shown."""
    key, allowed = str(path[-1]), tuple(keys)
    plain = _plain(key)
    if is_secret(key) or plain in RESERVED:
        return _forbidden(path, secret=plain in SECRET)
    message = f"{named(path)} is no key of {named(path[:-1])}"
    return finding("unknown-key", message, path=path, limit=", ".join(allowed), hint=suggestion(key.lower(), allowed))


def wrong_choice(path: KeyPath, value: Any, *, allowed: Iterable[str]) -> Finding:
    """Report a value that is none of the words allowed."""
    words = tuple(allowed)
    listed = " or ".join(f"`{word}`" for word in words)
    close = isinstance(value, str) and near(value.lower(), words)
    hint = suggestion(value.lower(), words) if close else "write one of them"
    message = f"{named(path)} must be {listed}"
    return finding("wrong-value", message, path=path, value=shown(value, path), limit=", ".join(words), hint=hint)


def named(path: KeyPath) -> str:
    """Return a path as a message names it, without anything that may be an address."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (shown(part) or "…")
    return f"`{text}`" if text else "the file"


def shown(value: Any, path: KeyPath = ()) -> str | None:
    """Return a scalar for a message, escaped and short; None for what may be an address or a secret."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float) or not _PRIVATE.isdisjoint(path):
        return None
    text = str(value)
    return quoted(text)[1:-1] if _MOMENT.fullmatch(text) or not _ADDRESS.search(text) else None


def is_secret(key: str) -> bool:
    """Tell whether a key's name promises a credential."""
    return _plain(key) in SECRET


def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())


def _forbidden(path: KeyPath, *, secret: bool) -> Finding:
    if secret:
        message = f"{named(path)} must not be in a file"
        hint = 'credentials come from the environment: `providers` in octoplan.yaml names them as "${NAME}"'
        return finding("secret", message, path=path, hint=hint)
    return finding("reserved-key", f"{named(path)} is set by octoplan itself", path=path, hint="remove it")


def _missing(path: KeyPath, schema: Mapping[str, Any]) -> Finding:
    if path[-1] == "purpose":
        message = "`purpose` is missing: marketing sent as transactional is fined, so it has no default"
        return finding("purpose-missing", message, path=path, hint="write `marketing` or `transactional`")
    sample = example(schema, path)
    hint = f"for example `{path[-1]}: {_flow(sample)}`" if sample is not None else "add it"
    return finding("missing-key", f"{named(path)} is missing", path=path, hint=hint)


def _wrong_type(error: ErrorDetails, schema: Mapping[str, Any]) -> Finding:
    path, expected, found = error["loc"], _EXPECTED[error["type"]], error["input"]
    message = f"{named(path)} must be {expected}, YAML read {_found(found)}"
    hint = _way_out(expected, found) or _for_example(path, schema)
    return finding("wrong-type", message, path=path, hint=hint)


def _way_out(expected: str, found: Any) -> str:
    if expected == "text" and isinstance(found, int | float):
        return "put it in quotes"
    if expected == "true or false":
        return "write true or false, without quotes"
    if isinstance(found, str) and expected in {"a number", "a whole number"} and _NUMBER.fullmatch(found):
        return "write the number without quotes"
    return ""


def _for_example(path: KeyPath, schema: Mapping[str, Any]) -> str:
    sample = example(schema, path)
    return f"for example {_flow(sample)}" if sample is not None else "write another, or remove it"


def _found(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return _KINDS[type(value)]


def _flow(value: Any) -> str:
    """Write an example as one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    text = str(value)
    return f'"{text}"' if isinstance(value, str) and re.search(r"[{}\[\],#:]|^[+\d@*&!%]", text) else text
