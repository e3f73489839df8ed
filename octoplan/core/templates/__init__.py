"""Texts with a budget: Jinja cut down to what is safe to render anywhere.

`parse` checks a text and what it includes on their trees before anything is compiled; `fold` renders everything
but `contact` into one text; what is left is shown as a `pattern` and rendered for lists of contacts by a `Renderer`.
`place` makes it one text with placeholders, where it can be one.
"""

from octoplan.core.templates.folding import fold
from octoplan.core.templates.language import Origin, Template, Unreadable, parse
from octoplan.core.templates.placing import Placed, Unplaced, place
from octoplan.core.templates.rendering import Renderer, columns, pattern

__all__ = [
    "Origin",
    "Placed",
    "Renderer",
    "Template",
    "Unplaced",
    "Unreadable",
    "columns",
    "fold",
    "parse",
    "pattern",
    "place",
]
