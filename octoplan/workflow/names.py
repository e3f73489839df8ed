"""What a campaign names: its columns, held against the header of its audience, and its files."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from octoplan.audience import Query
from octoplan.core import templates
from octoplan.core.errors import InputError
from octoplan.core.message import leaves
from octoplan.core.model import Severity
from octoplan.core.rules import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from octoplan.audience import Engine
    from octoplan.core.model import Campaign, Finding, KeyPath
    from octoplan.core.spec import Read
    from octoplan.project import Project

FILE: KeyPath = ("audience", "file")
EXCLUDE: KeyPath = ("audience", "exclude")


def check_names(project: Project, campaign: Campaign, *, engine: Engine) -> Iterator[Finding]:
    """Yield what is wrong with the names of columns and files; of files that are not there, only that.

    Audiences stay out of version control: where a campaign is reviewed, they may not be at hand.
    """
    used = columns(campaign)
    try:
        file = _file(project, campaign)
        if file is None or os.path.lexists(file):
            yield from engine.check(campaign.audience, used, file=file)
        else:
            yield absent(str(campaign.audience.file), FILE)
        for name in campaign.audience.exclude_files:
            path = project.inside(name, EXCLUDE)
            if os.path.lexists(path):
                engine.check_list(path, EXCLUDE)
            else:
                yield absent(name, EXCLUDE)
    except InputError as error:
        yield from error.findings


def columns(campaign: Campaign) -> tuple[str, ...]:
    """Return the contact columns a campaign's message needs, its locale's too, in order of first use."""
    message = campaign.message
    texts = (text for content in message.contents.values() for _, text in leaves(content))
    chooses = (message.locale.column,) if message.locale else ()
    return tuple(dict.fromkeys((*chooses, *(name for text in texts for name in templates.columns(text)))))


def absent(name: str, path: KeyPath) -> Finding:
    """Return what is said of a list that is not there: lists stay out of version control."""
    message = f"{name} is not there: what it holds is not checked"
    return finding("file", message, severity=Severity.INFO, path=path, hint="`plan` needs it")


def point(findings: Iterable[Finding], read: Read) -> tuple[Finding, ...]:
    """Place findings in a campaign's file; an unknown column of the message where a text first names it."""
    return read.source.locate(
        replace(found, place=read.uses.get(found.value))
        if found.rule == "template-name" and found.value and found.place is None
        else found
        for found in findings
    )


def _file(project: Project, campaign: Campaign) -> Path | None:
    name = campaign.audience.file
    return None if name is None else project.inside(name, FILE)


def query(project: Project, campaign: Campaign, *, key: bytes) -> Query:
    """Return the query for everybody a campaign addresses, whatever the ledger says of them.

    Raises:
        InputError: a file leads outside the project.
    """
    audience = campaign.audience
    locale = campaign.message.locale
    if locale:  # nobody is without a language
        audience = replace(audience, fallback={locale.column: locale.default, **audience.fallback})
    return Query(
        campaign_audience=audience,
        file=_file(project, campaign),
        suppressions=tuple(project.inside(name) for name in project.settings.suppressions),
        exclude=tuple(project.inside(name, EXCLUDE) for name in audience.exclude_files),
        columns=columns(campaign),
        key=key,
        kind=campaign.channel.address_kind,
        home=project.settings.defaults.country,
        fiction=project.surroundings.sandbox,
    )
