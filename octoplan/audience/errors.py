"""What is wrong with an audience, said without a single value of it."""

from __future__ import annotations

from octoplan.core.errors import InputError


class AudienceError(InputError):
    """A file, a source or a `where` that must be put right; the findings name place and way out."""
