"""Every finding of every file, without network and credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from octoplan.audience import Engine
from octoplan.core.errors import Exit, InputError, Refused, worst
from octoplan.core.model import Severity
from octoplan.core.rules import accept
from octoplan.workflow.names import check_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from octoplan.core.model import Campaign, Finding
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


def validate(project: Project, files: Iterable[str] = ()) -> Checked:
    """Check all files; `files` narrows the findings that are returned.

    Raises:
        Refused: a named file is no file of the project.
    """
    loaded = project.load()
    findings = list(loaded.findings)
    with Engine(project.temporary_folder(), root=project.root) as engine:
        for campaign in loaded.campaigns:
            found = accept(_campaign(project, campaign, engine=engine), campaign.allow)
            findings += loaded.sources[campaign.file].locate(found)
    wanted = {_name(project, name) for name in files}
    kept = [found for found in findings if not wanted or (found.place and found.place.file in wanted)]
    return Checked(campaigns=len(loaded.campaigns), findings=tuple(kept))


def _campaign(project: Project, campaign: Campaign, *, engine: Engine) -> tuple[Finding, ...]:
    found = list(project.provider(campaign.provider).check(campaign))
    try:
        found += check_names(project, campaign, engine=engine)
    except InputError as error:
        found += error.findings
    return tuple(found)


def _name(project: Project, name: str) -> str:
    path = project.inside(name)
    if not path.is_file():
        raise Refused(f"{ascii(name)[1:-1]} is no file of this project", reason="file-missing")
    return path.relative_to(project.root).as_posix()
