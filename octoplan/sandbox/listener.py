"""Sockets on 127.0.0.1."""

from __future__ import annotations

import socket
from contextlib import ExitStack

_BACKLOG = 1024


def bound(port: int) -> socket.socket:
    """Hold a port, 0 for a free one, so that connections to it are refused until `listening`. Raises OSError."""
    # The protocol is named because asyncio sets TCP_NODELAY only then; without it a kept connection waits 40 ms.
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", port))
    except BaseException:
        held.close()
        raise
    return held


def listening(port: int) -> socket.socket:
    """Listen on a port, 0 for a free one. Raises OSError."""
    with ExitStack() as undone:
        listener = undone.enter_context(bound(port))
        listener.listen(_BACKLOG)
        undone.pop_all()
    return listener


def port(of: socket.socket) -> int:
    """Give the port a socket is bound to."""
    return int(of.getsockname()[1])
