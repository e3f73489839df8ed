"""The recording that a campaign names: fetched to be held against its digest, and timed; the provider fetches its own.

Nobody knows what is behind an address that a file names. So it is read over verified https, from public addresses
alone, without credentials, whole or not at all, within a size and a time.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from octoplan.core import recording
from octoplan.core.model import Reply, Severity
from octoplan.core.recording import ASSUMED, NoWave, Recording
from octoplan.core.rules import finding
from octoplan.core.rules.url import is_reserved

if TYPE_CHECKING:
    from octoplan.core.message import Audio
    from octoplan.core.model import Finding, KeyPath, Seen

URL: KeyPath = ("message", "audio", "url")
SHA256: KeyPath = ("message", "audio", "sha256")

LARGEST = 32 * 1024 * 1024
"""Bytes of a recording: six minutes as a studio keeps it, an hour as a telephone plays it."""

SECONDS = 30.0
"""How long reading it may take."""

_HEADERS = 64 * 1024
"""Bytes of a reply that are not the file."""

_OK = 200
_REDIRECTS = range(300, 400)
_SHOWN = 12

_ASSUMED = f"{ASSUMED} seconds a call are counted"
_SAMPLE = "name the real file; sample data is for the sandbox"


def hear(audio: Audio | None, *, sandbox: bool, offline: bool) -> Recording:
    """Return what is known of a recording after reading it, where that may be and can be done."""
    if audio is None:
        return Recording()
    if is_reserved(audio.url):
        message = "the recording is at a name reserved for examples: "
        message += f"nothing is read there, {_ASSUMED}" if sandbox else "this is sample data"
        severity = Severity.INFO if sandbox else Severity.ERROR
        return _told(finding("audio", message, severity=severity, path=URL, hint=_SAMPLE))
    if offline:
        message = f"the recording is not read offline: {_ASSUMED}"
        return _told(finding("audio", message, severity=Severity.INFO, path=URL, hint="`plan` reads it"))
    return _heard(audio, _fetched(audio.url))


def _fetched(url: str) -> Seen:
    from octoplan.wire import Deadline, fetch  # noqa: PLC0415  what is offline needs no HTTP

    return fetch(url, cap=LARGEST + _HEADERS, deadline=Deadline(seconds=SECONDS))


def _heard(audio: Audio, seen: Seen) -> Recording:
    if not isinstance(seen, Reply):
        return _unread(seen.reason)
    if seen.status != _OK:
        followed = ", and is not followed elsewhere" if seen.status in _REDIRECTS else ""
        return _unread(f"the server answers {seen.status}{followed}")
    if len(seen.body) > LARGEST:
        return _unread(f"it is larger than {LARGEST // 1024**2} MiB")
    digest = hashlib.sha256(seen.body).hexdigest()
    if digest != audio.sha256:
        shown, pinned = (f"{one[:_SHOWN]}…" for one in (digest, audio.sha256))
        message = f"the recording is not the one that is pinned: its sha256 is {shown}, and not {pinned}"
        hint = "listen to it; if it is meant, write what `sha256sum` prints for it"
        return _told(finding("audio", message, path=SHA256, value=shown, limit=pinned, hint=hint))
    try:
        return Recording(seconds=recording.seconds(seen.body))
    except NoWave as problem:
        return _told(finding("audio", f"the recording {problem}", path=URL, hint="export it as WAVE"))


def _unread(reason: str) -> Recording:
    hint = "put the file where everybody can read it over https, or name another"
    return _told(finding("audio", f"the recording cannot be read: {reason}", path=URL, hint=hint))


def _told(found: Finding) -> Recording:
    return Recording(findings=(found,))
