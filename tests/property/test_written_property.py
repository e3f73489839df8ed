"""Whatever a file holds, reading it ends with findings that have a place, and never with an exception."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from octoplan.core import price, source, spec
from octoplan.core import settings as project
from octoplan.core.model import Severity
from octoplan.core.written import examine
from octoplan.core.written.campaign import CampaignFile
from octoplan.core.written.document import document, level
from octoplan.core.written.prices import PricesFile
from octoplan.core.written.project import ProjectFile

if TYPE_CHECKING:
    from octoplan.core.model import KeyPath
    from octoplan.core.written import File

NAMES = ("prod", "octopush", "file", "campaign", "FR", "sandbox", "url", "text", "fr")

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**12),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(
        ["", "x", "FR", "90 EUR", "20%", "24h", "2026-12-03T10:00", "{{ x", "{{ vars.x }}", "${A}", "../x.csv"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5),
)

ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def written(draw: st.DrawFn, kind: type[File], path: KeyPath = ()) -> Any:
    """Draw a file that knows the keys and little else: right, wrong and foreign values at every level."""
    here = level(document(kind), path)
    keys = here.get("properties", {})
    if not keys or draw(st.integers(0, 9)) == 9:
        examples = here.get("examples", [])
        return draw(st.sampled_from(examples)) if examples and draw(st.booleans()) else draw(ANYTHING)
    chosen = draw(st.lists(st.sampled_from([*keys, "foreign", "api_key"]), unique=True, max_size=8))
    return {key: draw(written(kind, (*path, key))) for key in chosen}


def read(data: Any) -> source.Source | None:
    text = json.dumps(data if isinstance(data, dict) else {"x": data}, ensure_ascii=False)
    return source.read("campaigns/x.yaml", text.encode())[0]


def scope() -> spec.Scope:
    found, _ = source.read("octoplan.yaml", b"{version: 1, vars: {x: y}}")
    assert found is not None
    loaded, _ = project.read_project(found)
    assert loaded is not None
    return spec.Scope(settings=loaded, environment="sandbox", sandbox=True, stop={"octopush": "STOP au XXXXX"})


SCOPE = scope()


@settings(max_examples=80, deadline=None)
@given(written(CampaignFile))
def test_a_campaign_file_never_raises(data: Any) -> None:
    found = read(data)
    if found is not None:
        for made in spec.read_campaigns(found, SCOPE):
            assert (made.campaign is None) == any(one.severity is Severity.ERROR for one in made.findings)
            assert all(one.place for one in made.findings)


@settings(max_examples=60, deadline=None)
@given(written(ProjectFile))
def test_a_project_file_never_raises(data: Any) -> None:
    found = read(data)
    if found is not None:
        loaded, findings = project.read_project(found)
        assert (loaded is None) == bool(findings)
        assert all(one.place for one in findings)


@settings(max_examples=50, deadline=None)
@given(written(PricesFile))
def test_a_price_book_never_raises(data: Any) -> None:
    found = read(data)
    if found is not None:
        prices, findings = price.read_prices(found)
        assert (prices is None) == bool(findings)


@settings(max_examples=60, deadline=None)
@given(written(CampaignFile))
def test_what_is_saved_of_a_file_is_valid(data: Any) -> None:
    found = read(data)
    if found is not None:
        saved, _ = examine(CampaignFile, found)
        assert saved.channel == "sms"
