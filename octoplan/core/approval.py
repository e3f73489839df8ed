"""What was approved: the digest of the campaigns as written, the approved set, and the file that holds both.

A saved plan is one zip archive with `plan.json` and `approved`, the sorted 16-byte entries of who gets
what. Its archive comment is a MAC under the ledger's key over every byte before it, so that any flipped
byte is noticed while any zip tool can still open the file.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from octoplan.core import keys
from octoplan.core.errors import Stale
from octoplan.core.plan import FORMAT_VERSION, Change, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from octoplan.core.hours import Policy
    from octoplan.core.model import Campaign, Prices

MAC_LENGTH = 64
LARGEST_PLAN = 256 * 1024 * 1024
"""Bytes a member of a saved plan may unpack to."""

_PERSONAL = frozenset({"where", "contact_ids"})
_NOT_IN_DIGEST = ("description", "owner", "tags", "file")
_UNREADABLE = (zipfile.BadZipFile, zlib.error, KeyError, ValueError, ValidationError, EOFError, OSError, AttributeError)
_EPOCH = (1980, 1, 1, 0, 0, 0)


def canonical(value: Any) -> Any:
    """Return JSON-ready data that is equal exactly when the meaning is: None left out, money as text."""
    if is_dataclass(value):
        pairs = ((item.name.rstrip("_"), canonical(getattr(value, item.name))) for item in fields(value))
        return {name: content for name, content in pairs if content is not None}
    if isinstance(value, tuple | list):
        return [canonical(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): canonical(content) for name, content in sorted(value.items())}
    return _leaf(value)


def _leaf(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case Decimal():
            return format(value.normalize(), "f")
        case datetime() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
    return value


def campaign_spec(campaign: Campaign) -> dict[str, Any]:
    """Return a campaign as its digest sees it: less description, owner, tags, file name and inline contacts.

    `audience.where` and `audience.contact_ids` are fingerprints, since a condition may name contacts and ids do. They
    are not shortened: two conditions that an author has made to look alike would let the other one through.
    """
    spec: dict[str, Any] = canonical(campaign)
    for name in _NOT_IN_DIGEST:
        spec.pop(name, None)
    if "contacts" in spec["audience"]:
        spec["audience"]["contacts"] = "inline"
    for name in _PERSONAL & spec["audience"].keys():
        spec["audience"][name] = fingerprint(spec["audience"][name])
    return spec


def fingerprint(content: Any) -> str:
    """Return `sha256:…` of canonical data."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def prices_digest(prices: Prices) -> str:
    """Return the digest of a price book's values; its date is shown, not approved."""
    values = canonical(prices)
    del values["as_of"]
    return fingerprint(values)


def policy_digest(policy: Policy) -> str:
    """Return the digest of an hours policy's values, without date and source."""
    values = canonical(policy)
    del values["as_of"], values["source"]
    return fingerprint(values)


def plan_digest(
    specs: Iterable[Mapping[str, Any]], *, limits: Mapping[str, Any], values: Mapping[str, Mapping[str, str]], env: str
) -> str:
    """Return the digest of a plan: its campaigns, the project's limits, the environment's name.

    `values` are the digests of what else was read: price books, hours policies, and by which calls a provider is
    reached, by kind and name.
    """
    ordered = sorted(specs, key=lambda spec: (spec["id"], spec["edition"]))
    kinds = {kind: dict(digests) for kind, digests in values.items()}
    return fingerprint({"campaigns": ordered, "limits": limits, **kinds, "env": env})


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the fields that differ between two campaign specs, by path."""
    if old == new:
        return ()
    from deepdiff import DeepDiff  # noqa: PLC0415  half a second of import that most plans never need

    tree = DeepDiff(old, new, view="tree", verbose_level=2)
    found = [
        Change(
            path=".".join(str(part) for part in level.path(output_format="list")),
            old=_shown(level.t1),
            new=_shown(level.t2),
        )
        for kind in tree.values()
        for level in kind
    ]
    return tuple(sorted(found, key=lambda change: change.path))


def _shown(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if type(value).__name__ == "NotPresent":
        return None
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A saved plan as read back. `approved` holds 16-byte entries; `content` the file's bytes."""

    plan: Plan
    approved: frozenset[bytes]
    content: bytes

    def is_sealed(self, key: bytes) -> bool:
        """Tell whether every byte is as it was written under this ledger key."""
        mac = keys.seal(key, self.content[:-MAC_LENGTH]).encode()
        return hmac.compare_digest(mac, self.content[-MAC_LENGTH:])


def save(plan: Plan, approved: Iterable[bytes], *, key: bytes) -> bytes:
    """Return the bytes of a saved plan."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("plan.json", _EPOCH), plan.model_dump_json(indent=1).encode())
        archive.writestr(zipfile.ZipInfo("approved", _EPOCH), b"".join(sorted(approved)))
        archive.comment = b"0" * MAC_LENGTH
    body = buffer.getvalue()[:-MAC_LENGTH]
    return body + keys.seal(key, body).encode()


def read_saved(content: bytes) -> SavedPlan:
    """Read a saved plan, sealed or not.

    Raises:
        Stale: it is no saved plan, is damaged, or has another major version.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            document = json.loads(_member(archive, "plan.json"))
            approved = _member(archive, "approved")
        version = str(document.get("format_version", ""))
        if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
            raise Stale(
                f"the plan has format {version or 'none'}, this octoplan reads {FORMAT_VERSION}: make a new plan",
                reason="plan-version",
            )
        plan = Plan.model_validate(document)
    except _UNREADABLE as error:
        raise Stale(
            f"this is no readable saved plan ({type(error).__name__}): make a new one with `octoplan plan --out FILE`",
            reason="plan-unreadable",
        ) from error
    except RuntimeError as error:
        raise Stale("the plan is packed in an unknown way: make a new one", reason="plan-unreadable") from error
    size = keys.SIZE
    entries = frozenset(approved[start : start + size] for start in range(0, len(approved), size))
    return SavedPlan(plan=plan, approved=entries, content=content)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        content = member.read(LARGEST_PLAN + 1)
    if len(content) > LARGEST_PLAN:
        raise ValueError(name)
    return content
