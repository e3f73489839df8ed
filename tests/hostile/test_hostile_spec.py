"""Files full of mistakes: each is reported, with its rule and its place, all in one go.

A mistake's line says which findings it must give: `# ! rule line:column`, for several `# ! … ! …`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from octoplan.core import price, settings, source, spec
from octoplan.core.model import Severity
from octoplan.project.files import load, read_text
from octoplan.providers import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from octoplan.core.model import Finding

FOLDER = Path(__file__).parent / "spec"
EXPECTED = re.compile(r"! ([a-z-]+) ([0-9]+):([0-9]+)")


def files(folder: str) -> list[str]:
    return sorted(f"{folder}/{path.name}" for path in (FOLDER / folder).glob("*.yaml"))


def read(name: str) -> source.Source:
    found, findings = source.read(name, (FOLDER / name).read_bytes())
    assert found is not None, findings
    return found


@pytest.fixture(scope="module")
def scope() -> spec.Scope:
    project, findings = settings.read_project(read("octoplan.yaml"))
    assert not findings
    assert project is not None
    return spec.Scope(settings=project, environment="prod", sandbox=False, stop={"octopush": "STOP au XXXXX"})


def expected(name: str) -> list[tuple[int, int, str]]:
    text = (FOLDER / name).read_text(encoding="utf-8")
    return sorted((int(line), int(column), rule) for rule, line, column in EXPECTED.findall(text))


def placed(findings: tuple[Finding, ...]) -> Iterator[tuple[int, int, str]]:
    for found in findings:
        assert found.place is not None
        yield found.place.line, found.place.column, found.rule


def assert_no_address(findings: tuple[Finding, ...]) -> None:
    shown = " ".join(f"{found.message} {found.value} {found.limit} {found.hint}" for found in findings)
    assert not re.search(r"639980012|06 39 98 00 12|sk-1|abcdef|octoplan:secret|me@acme", shown)


@pytest.mark.parametrize("name", files("campaigns"))
def test_every_mistake_of_a_campaign_is_reported_where_it_is(name: str, scope: spec.Scope) -> None:
    (found,) = spec.read_campaigns(read(name), scope)
    campaign, findings = found.campaign, found.findings
    assert sorted(placed(findings)) == expected(name)
    assert (campaign is None) == any(found.severity is Severity.ERROR for found in findings)
    assert_no_address(findings)


@pytest.mark.parametrize("name", ["octoplan.yaml", *files("projects")])
def test_every_mistake_of_a_project_is_reported_where_it_is(name: str) -> None:
    project, findings = settings.read_project(read(name))
    assert sorted(placed(findings)) == expected(name)
    assert (project is None) == bool(findings)
    assert_no_address(findings)


@pytest.mark.parametrize("name", files("prices"))
def test_every_mistake_of_a_price_book_is_reported_where_it_is(name: str) -> None:
    prices, findings = price.read_prices(read(name))
    assert sorted(placed(findings)) == expected(name)
    assert (prices is None) == bool(findings)


CHANNELS = Path(__file__).parent / "channels"
ELSEWHERE = re.compile(r"! ([a-z-]+) (?:(\S+):)?([0-9]+):([0-9]+)")
OF_AUDIENCES = {"campaigns/sms/column.yaml", "campaigns/sms/text-column.yaml"}
"""Files whose only mistake shows beside the audience: `octoplan validate` finds it."""


def test_every_mistake_of_every_channel_is_reported_where_it_is() -> None:
    found, findings = source.read("octoplan.yaml", (CHANNELS / "octoplan.yaml").read_bytes())
    assert found is not None
    project, _ = settings.read_project(found)
    assert project is not None
    octopush = PROVIDERS["octopush"]
    scope = spec.Scope(
        settings=project,
        environment="sandbox",
        sandbox=True,
        stop={"octopush": octopush.stop_mention},
        checks={"octopush": octopush.check},
        read=lambda name: read_text(CHANNELS, name),
    )
    loaded = load(CHANNELS, scope)
    for name, findings in loaded.of_files.items():
        text = (CHANNELS / name).read_text(encoding="utf-8")
        wanted = [
            (other or name, int(line), int(column), rule) for rule, other, line, column in ELSEWHERE.findall(text)
        ]
        places = [(one.place.file, one.place.line, one.place.column, one.rule) for one in findings if one.place]
        if name not in {*OF_AUDIENCES, "campaigns/each/ids.yaml"}:
            assert sorted(places) == sorted(wanted)
        assert all(one.hint for one in findings)
        assert_no_address(findings)
    assert [(one.rule, one.place and one.place.file) for one in loaded.general] == [
        ("id-duplicate", "campaigns/each/ids.yaml")
    ]


def test_one_folder_holds_dozens_of_different_mistakes() -> None:
    assert sum(len(expected(name)) for name in files("campaigns")) >= 90
    assert len({rule for name in files("campaigns") for *_, rule in expected(name)}) >= 18
