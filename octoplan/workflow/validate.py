"""Every finding of every file, without network and credentials."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from octoplan.audience import Engine
from octoplan.core.errors import Exit, InputError, worst
from octoplan.core.model import Severity
from octoplan.core.rules import accept
from octoplan.workflow.names import absent, check_names, point

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from octoplan.core.model import Finding
    from octoplan.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The findings of a validation, and how many campaigns were read."""

    campaigns: int
    findings: tuple[Finding, ...]

    @property
    def exit(self) -> Exit:
        """1 for an error, 3 for a limit or warning that nobody accepted."""
        severities = {found.severity for found in self.findings}
        codes = [Exit.INPUT] if Severity.ERROR in severities else []
        codes += [Exit.BLOCKED] if severities & {Severity.LIMIT, Severity.WARNING} else []
        return worst(codes)


def validate(project: Project, files: Iterable[Path] = ()) -> Checked:
    """Check all files; `files` narrows what is returned to them.

    Raises:
        Refused: a named file is no file of the project.
    """
    wanted = {project.named(path) for path in files}
    loaded = project.load()
    chosen = wanted or loaded.of_files.keys()
    with Engine(project.temporary_folder(), root=project.root) as engine:
        general = [_reviewed(project, found) for found in loaded.general]
        general += project.source.locate(_lists(project, engine))
        findings = [found for found in general if not wanted or (found.place and found.place.file in wanted)]
        findings += (found for name, of_file in loaded.of_files.items() if name in chosen for found in of_file)
        for campaign in loaded.campaigns:
            if campaign.file in chosen:
                found = accept(tuple(check_names(project, campaign, engine=engine)), campaign.allow)
                findings += point(found, loaded.read[campaign.id])
    read = sum(campaign.file in chosen for campaign in loaded.campaigns)
    return Checked(campaigns=read + len(chosen & loaded.broken), findings=tuple(dict.fromkeys(findings)))


def _reviewed(project: Project, found: Finding) -> Finding:
    """Let a suppression list be absent where campaigns are only reviewed; whatever sends needs it."""
    match found.path:
        case ("suppressions", int(index)) if found.rule == "file":
            name = project.settings.suppressions[index]
            if not os.path.lexists(project.root / name) and not _leads_outside(project, name):
                return replace(absent(name, found.path), place=found.place)
    return found


def _leads_outside(project: Project, name: str) -> bool:
    try:
        project.inside(name)
    except InputError:
        return True
    return False


def _lists(project: Project, engine: Engine) -> Iterator[Finding]:
    """Find what is wrong with the suppression lists that are there; loading tells of those that are not."""
    for index, name in enumerate(project.settings.suppressions):
        try:
            path = project.inside(name)
            if path.is_file():
                engine.check_list(path, ("suppressions", index))
        except InputError as error:
            yield from error.findings
