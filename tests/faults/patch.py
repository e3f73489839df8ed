"""Putting something else in the place of a part of octoplan, in a process that is about to be used up."""

from __future__ import annotations


def put(owner: object, **parts: object) -> None:
    """Replace attributes of a module or class."""
    for name, part in parts.items():
        setattr(owner, name, part)
