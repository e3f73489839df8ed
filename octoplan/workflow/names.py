"""The columns a campaign uses, checked against the header of its audience."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from octoplan.audience import Query
from octoplan.core import templates
from octoplan.core.errors import InputError
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from pathlib import Path

    from octoplan.audience import Engine
    from octoplan.core.model import Campaign, Finding, KeyPath
    from octoplan.project import Project


def check_names(project: Project, campaign: Campaign, *, engine: Engine) -> tuple[Finding, ...]:
    """Return a finding for every used column that the audience's header does not have.

    Raises:
        InputError: the audience cannot be read.
    """
    header = engine.header(source_of(project, campaign))
    wanted: list[tuple[str, str, KeyPath]] = [
        ("template-name", name, ("message", "text")) for name in templates.columns(campaign.message.text)
    ]
    wanted.append(("source", campaign.audience.address, ("audience", "address")))
    wanted += [("unknown-key", name, ("audience", "fallback", name)) for name in campaign.audience.fallback]
    return tuple(_missing(rule, name, path=path, header=header) for rule, name, path in wanted if name not in header)


def _missing(rule: str, name: str, *, path: KeyPath, header: tuple[str, ...]) -> Finding:
    near = difflib.get_close_matches(name, header, n=1)
    return finding(
        rule,
        f"the audience has no column `{name}`",
        path=path,
        limit=", ".join(header),
        hint=f"did you mean `{near[0]}`?" if near else "use one of the audience's columns",
    )


def source_of(project: Project, campaign: Campaign) -> Path | tuple[dict[str, str], ...]:
    """Return where a campaign's rows come from: a file's path, or the inline contacts."""
    if campaign.audience.file is not None:
        return project.inside(campaign.audience.file)
    return tuple(dict(row) for row in campaign.audience.contacts or ())


def checked_query(project: Project, campaign: Campaign, *, engine: Engine) -> Query:
    """Return the query for everybody a campaign addresses, whatever the ledger says of them.

    Raises:
        InputError: a used column is not there, or a file cannot be read.
    """
    if missing := check_names(project, campaign, engine=engine):
        raise InputError(missing)
    audience = campaign.audience
    return Query(
        campaign_audience=audience,
        file=None if audience.file is None else project.inside(audience.file),
        suppressions=tuple(project.inside(name) for name in project.settings.suppressions),
        exclude=tuple(project.inside(name) for name in audience.exclude_files),
        columns=templates.columns(campaign.message.text),
        key=project.key,
        fiction=project.surroundings.sandbox,
    )
