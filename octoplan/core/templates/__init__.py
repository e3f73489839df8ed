"""Texts with a budget: Jinja cut down to what is safe to render anywhere.

`parse` checks a text on its tree before anything is compiled; `fold` renders everything but
`contact`; what is left is shown as a `pattern` and rendered for lists of contacts by a `Renderer`.
"""

from octoplan.core.templates.folding import fold
from octoplan.core.templates.language import Template, parse
from octoplan.core.templates.rendering import Renderer, columns, pattern, unknown_columns

__all__ = ["Renderer", "Template", "columns", "fold", "parse", "pattern", "unknown_columns"]
