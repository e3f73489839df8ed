"""The outbox page: one file, nothing loaded from elsewhere, nothing run that it does not hold itself."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources

from starlette.responses import Response

_INLINE = re.compile(r"<(style|script)>(.*?)</\1>", re.DOTALL)


def outbox() -> Response:
    """Read the page; its policy allows its own style and script, by hash, and reading from the sandbox."""
    html = resources.files(__package__).joinpath("outbox.html").read_text("utf-8")
    allowed = {kind: _hash(content) for kind, content in _INLINE.findall(html)}
    policy = (
        f"default-src 'none'; style-src {allowed['style']}; script-src {allowed['script']}; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-cache",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(html, headers=headers, media_type="text/html")


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
