from __future__ import annotations

import pytest

from octoplan.core.quantity import quantity


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [
        (0, "contact", "0 contacts"),
        (1, "contact", "1 contact"),
        (1_214, "contact", "1,214 contacts"),
        (1, "batch", "1 batch"),
        (2, "batch", "2 batches"),
        (2, "e-mail address", "2 e-mail addresses"),
        (1, "entry", "1 entry"),
        (2, "entry", "2 entries"),
    ],
)
def test_a_noun_fits_its_number(number: int, noun: str, words: str) -> None:
    assert quantity(number, noun) == words
