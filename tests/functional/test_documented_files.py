"""The files that the pages show are valid, and plan."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from conftest import ROOT
from workspaces import Workspace

if TYPE_CHECKING:
    from pathlib import Path

CUSTOMERS = """\
phone_number,email,first_name,store,lang,code
+33639980011,noe@example.com,Noé,Bellecour,fr,A1042
+33639980012,zoe@example.com,Zoé,Part-Dieu,en,A1057
"""
BRITONS = """\
phone_number,first_name,store
+447700900101,Luke,Leeds
"""


def shown(page: str, language: str) -> list[str]:
    """Return the blocks of one language that a page shows."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def project(root: Path) -> Workspace:
    """Return a new project of both providers, without campaigns, whose contacts have the columns of the pages."""
    made = Workspace(root / "kept")
    made.run("init", "--example", "routee", str(root / "new"))
    made.root = root / "new"
    (made.root / "campaigns/pickup-call.yaml").unlink()
    made.write("audiences/customers.csv", CUSTOMERS)
    made.write("audiences/customers-gb.csv", BRITONS)
    return made


def add_campaigns(made: Workspace, blocks: list[str]) -> None:
    for number, block in enumerate(blocks):
        made.write(f"campaigns/{number}.yaml", block)


def check(made: Workspace, campaigns: int) -> None:
    """Validate and plan every file; only infos may be found."""
    assert f"campaigns read: {campaigns}" in made.run("validate").err
    made.run("plan", "--offline")


def test_the_files_that_docs_campaigns_shows_are_valid_and_plan(tmp_path: Path) -> None:
    made = project(tmp_path)
    blocks = shown("docs/campaigns.md", "yaml")
    for block in blocks:
        name = re.match(r"# (\S+\.yaml)\n", block)
        if name:
            made.write(name[1], block)
    page = (ROOT / "docs/campaigns.md").read_text(encoding="utf-8")
    texts = re.findall(r"^`(\S+)`:\n\n```html\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(texts) == len(shown("docs/campaigns.md", "html"))
    for name, text in texts:
        made.write(name, text)
    campaigns = [block for block in blocks if not block.startswith("# ")]
    add_campaigns(made, campaigns)
    check(made, len(campaigns) + 1)


def test_the_files_that_the_readme_shows_are_valid_and_plan(tmp_path: Path) -> None:
    made = project(tmp_path)
    blocks = shown("README.md", "yaml")
    parts = [block for block in blocks if block.startswith("environments:")]
    campaigns = [block for block in blocks if block not in parts]
    (made.root / "campaigns/audiences").mkdir()
    shutil.copy(ROOT / "campaigns/audiences/lyon.csv", made.root / "campaigns/audiences")
    settings = (made.root / "octoplan.yaml").read_text(encoding="utf-8")
    made.write("octoplan.yaml", settings + "vars: {shop: acme.example}\n" + "".join(parts))
    add_campaigns(made, campaigns)
    check(made, len(campaigns))
