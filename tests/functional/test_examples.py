"""What the repository's own campaigns and a new project come to."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT
from workspaces import Workspace, tally

from octoplan import project as projects

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILES = sorted(path.stem for path in (ROOT / "campaigns").glob("*.yaml"))
SHOWN: dict[str, dict[str, str | None]] = {
    "bienvenue": {"bienvenue": "peter@example.com"},
    "carrousel-hiver": {"carrousel-hiver": "+33639980203"},
    "commande-prete": {"commande-prete": "+33639980201"},
    "horaires-fetes": {
        "horaires-fetes-fr": "+33639980304",
        "horaires-fetes-gb": "+447700900102",
        "horaires-fetes-us": "+12125550105",
    },
    "lettre-hiver": {"lettre-hiver": "ines@example.com"},
    "livraison": {"livraison": "+33639980201"},
    "neige": {"neige": None},
    "noel-2026": {"noel-2026": "+33639981951"},
    "rappel-bouilloire": {"rappel-bouilloire": None},
    "rappel-retrait": {"rappel-retrait": "+33639980102"},
    "reouverture": {"reouverture": None},
    "travaux": {"travaux-croix-rousse": "+33639988385"},
    "vente-privee": {"vente-privee": "+33639980201"},
}
"""By file: of each campaign, the contact whose request is kept; None: the provider alone knows who gets it."""
PASSING = ("plan_id", "created_at", "octoplan_version", "git", "apply_from", "apply_until")
"""What differs between two plans of the same files; without `send_at`, a campaign's time begins now."""


@pytest.fixture
def repository(tmp_path: Path) -> Workspace:
    project = Workspace(tmp_path)
    shutil.copytree(ROOT / "campaigns", tmp_path / "campaigns")
    shutil.copy(ROOT / "octoplan.yaml", tmp_path)
    return project


def lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: "…" if name in PASSING else lasting(content) for name, content in value.items()}
    return [lasting(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_repository_is_planned_as_reviewed(
    name: str, repository: Workspace, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tuesday = partial(projects.open_project, clock=lambda: datetime(2026, 12, 1, 9, tzinfo=UTC))
    monkeypatch.setattr(projects, "open_project", tuesday)
    file = f"campaigns/{name}.yaml"
    text = repository.run("plan", "--offline", file).out
    golden(f"campaigns/{name}.txt", re.sub(r"(apply\s+until)\s+[-0-9]+\s+[:0-9]+\s+UTC", r"\1 …", text))
    plan = json.loads(repository.run("plan", "--offline", "--json", file).out)
    golden(f"campaigns/{name}.json", json.dumps(lasting(plan), indent=1, ensure_ascii=False))
    assert sorted(path.name for path in repository.root.iterdir()) == ["campaigns", "octoplan.yaml", "prices"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_repository_becomes_these_requests(
    name: str, repository: Workspace, golden: Callable[[str, str], None]
) -> None:
    bodies = {
        campaign: json.loads(
            repository.run("render", campaign, *(("--contact", contact) if contact else ()), "--json").out
        )["body"]
        for campaign, contact in SHOWN[name].items()
    }
    golden(f"campaigns/{name}.wire.json", json.dumps(bodies, indent=1, ensure_ascii=False))


def test_the_campaigns_of_the_repository_validate(repository: Workspace) -> None:
    found = json.loads(repository.run("validate", "--json").out)
    accepted = ["provider-held", "provider-held", "keys-nowhere", "keys-nowhere", "provider-held"]
    assert [one["rule"] for one in found if "(accepted: " in one["message"]] == accepted
    assert [one["rule"] for one in found if "(accepted: " not in one["message"]] == ["voice-purpose"]
    assert {one["severity"] for one in found} == {"info"}


def test_the_campaigns_of_the_repository_reach_their_audiences_on_every_channel(repository: Workspace) -> None:
    for large in ("noel-2026", "travaux"):
        (repository.root / f"campaigns/{large}.yaml").unlink()
    repository.ask("lists", **json.loads((repository.root / "campaigns/audiences/lists.json").read_text("utf-8")))
    assert tally(repository.run("apply").out) == {
        **dict.fromkeys(("rejected", "in doubt", "dropped", "not started"), 0),
        "accepted": 46,
    }
    got = repository.deliveries()
    assert Counter(one["channel"] for one in got) == {"sms": 16, "voice_sms": 7, "voice": 8, "rcs": 8, "email": 7}
    letters = {one["address"]: one["text"] for one in got if one["channel"] == "email" and one["text"]}
    assert "Bonjour Noé Dupont &amp; Fils," in letters["noe@example.com"]
    assert "Dear Inès O&#x27;Neill &lt;Lyon&gt;," in letters["ines@example.com"]
    assert "lea@example.com" not in letters


def test_a_new_project_validates_plans_and_applies(tmp_path: Path) -> None:
    project = Workspace(tmp_path / "kept")
    new = tmp_path / "new"
    written = project.run("init", str(new))
    assert written.out.splitlines() == sorted(str(path) for path in new.rglob("*") if path.is_file())
    assert "octoplan plan" in written.err
    project.root = new
    assert project.run("validate").out == ""
    assert "1 to send" in project.run("plan").out
    assert tally(project.run("apply").out)["accepted"] == 6
    assert tally(project.run("apply").out)["accepted"] == 0


def commands(page: str, first: str) -> list[list[str]]:
    """Return the words of each command in the block of a page that has a line beginning so."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (block,) = (block for block in blocks if f"\n{first}" in f"\n{block}")
    return [shlex.split(line, comments=True) for line in block.splitlines()]


def test_a_new_project_on_a_list_is_sent_as_the_readme_walks_through_it(tmp_path: Path) -> None:
    (begun, entered, *walk) = commands((ROOT / "README.md").read_text(encoding="utf-8"), "octoplan init --example list")
    folder = tmp_path / begun[-1]
    assert entered == ["cd", begun[-1]]
    project = Workspace(tmp_path / "kept")
    assert "octoplan sandbox --lists lists.json" in project.run(*begun[1:-1], str(folder)).err
    project.root = folder
    own = commands((folder / "README.md").read_text(encoding="utf-8"), "octoplan sandbox")
    assert [words for words in own if words[1] != "validate"] == walk
    (_, *fill), planned, *applied = walk
    with project.start(*fill, "--port", "0", cwd=folder) as process:
        assert process.stderr
        assert process.stderr.readline().startswith("http://127.0.0.1:")
        assert project.run("validate").err == "campaigns read: 1 · findings: 1\n"
        assert "list clients-lyon of octopush: at most 10 contacts" in project.run(*planned[1:]).flat
        ended = [project.run(*words[1:]).out for words in (*applied, *applied)]
        process.terminate()
    assert [tally(out)["accepted"] for out in ended] == [6, 0]
    assert "cost 0.30 of 1.00 EUR" in ended[0]
    assert {each["text"] for each in project.deliveries()} == {"ACME: votre magasin de Bellecour rouvre lundi."}


def test_a_new_project_overwrites_nothing(tmp_path: Path) -> None:
    project = Workspace(tmp_path)
    (tmp_path / "octoplan.yaml").write_text("mine")
    (tmp_path / ".gitignore").symlink_to("nowhere")
    before = sorted(tmp_path.rglob("*"))
    refused = project.run("init", code=1)
    assert ".gitignore, octoplan.yaml, prices/octopush.yaml would be overwritten" in refused.err
    assert refused.out == ""
    assert (tmp_path / "octoplan.yaml").read_text() == "mine"
    assert sorted(tmp_path.rglob("*")) == before


def test_a_new_project_needs_a_folder_that_can_be_written(tmp_path: Path) -> None:
    ended = Workspace(tmp_path).run("init", "/proc/nowhere", code=1)
    assert "/proc/nowhere cannot be written" in ended.err


@pytest.mark.parametrize("name", ["campaigns", "schemas"])
def test_a_new_project_needs_room_for_its_folders(name: str, tmp_path: Path) -> None:
    project = Workspace(tmp_path / "kept")
    (tmp_path / name).write_text("mine")
    project.root = tmp_path
    assert name in project.run("init", code=1).err
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["kept", name])
