"""A path a user writes stays inside the project, on every system."""

from __future__ import annotations

import pytest

from octoplan.core.paths import Outside, folder, resolve


@pytest.mark.parametrize(
    ("named", "within", "expected"),
    [
        ("lyon.csv", "", "lyon.csv"),
        ("../audiences/lyon.csv", "campaigns", "audiences/lyon.csv"),
        ("./a//b/./../c.csv", "x/y", "x/y/a/c.csv"),
        ("../../c.csv", "x/y", "c.csv"),
        ("campaigns/", "", "campaigns"),
        ("Été à Lyon.csv", "a", "a/Été à Lyon.csv"),
        ("nullable.csv", "", "nullable.csv"),
        ("..csv", "", "..csv"),
    ],
)
def test_a_path_is_relative_to_the_file_that_names_it(named: str, within: str, expected: str) -> None:
    assert resolve(named, within=within) == expected


@pytest.mark.parametrize(
    "named",
    [
        "../../etc/passwd",
        "../x/../../y",
        "/etc/passwd",
        "~/.ssh/id_rsa",
        "C:\\x",
        "c:x",
        "\\\\host\\share",
        "a\\b",
        "a\x00.csv",
        "a\nb.csv",
        "a\u202evsc.csv",
        "a\u200b.csv",
        "a\u00a0.csv",
        "CON",
        "a/nul.csv",
        "com1.txt/x",
        "lpt9",
        "trailing.",
        "blank ",
        "é" * 128,
        "..",
    ],
)
def test_a_path_that_leaves_or_cannot_exist_everywhere_is_refused(named: str) -> None:
    with pytest.raises(Outside, match=r"^a path must"):
        resolve(named, within="campaigns")


@pytest.mark.parametrize("named", ["", ".", "a/.."])
def test_the_project_itself_is_no_file_of_it(named: str) -> None:
    with pytest.raises(Outside, match="inside the project"):
        resolve(named, within="")


def test_the_folder_of_a_file() -> None:
    assert folder("campaigns/a/b.yaml") == "campaigns/a"
    assert folder("octoplan.yaml") == ""
