"""The rules of the house that no linter knows. They have no exceptions: mend the code."""

from __future__ import annotations

import ast
import io
import re
import statistics
import sys
import tokenize
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from conftest import ROOT

from octoplan.core.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LONGEST_FUNCTION = 60
LONGEST_MODULE = 400
MOST_BRANCHES = 10
MOST_PARAMETERS = 5
MOST_POSITIONAL = 2
MOST_PRAGMAS = 5

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "base", "common"}
PURE = ("core", "providers", "formats")
CLOCKS = {"now", "today", "utcnow", "utcfromtimestamp", "localtime"}
DISKS = {"open", "io.open", "io.open_code", "codecs.open"}
ENVIRONMENT = {"environ", "environb", "getenv", "putenv", "expandvars", "expanduser"}
ENVIRONMENT_READERS = ("project.py", "project/", "cli/")

FOREIGN_SIGNATURES = {"__call__", "connect_tcp", "start_tls"}
"""Methods whose parameters another library counts: ASGI, httpcore."""

LAYOUT = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)

Function = ast.FunctionDef | ast.AsyncFunctionDef
BRANCHING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)


@dataclass(frozen=True)
class Module:
    path: Path

    @cached_property
    def name(self) -> str:
        return self.path.relative_to(ROOT / "octoplan").as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def code(self) -> frozenset[int]:
        """The lines that hold a token which is neither comment nor docstring."""
        prose = {
            line
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        }
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        lines = {
            line for token in tokens if token.type not in LAYOUT for line in range(token.start[0], token.end[0] + 1)
        }
        return frozenset(lines - prose)

    @cached_property
    def functions(self) -> tuple[tuple[Function, bool], ...]:
        """Every function with whether its first parameter is the instance or class."""
        methods = {
            id(child)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ClassDef)
            for child in node.body
            if isinstance(child, Function) and "staticmethod" not in map(ast.unparse, child.decorator_list)
        }
        return tuple((node, id(node) in methods) for node in ast.walk(self.tree) if isinstance(node, Function))

    def code_lines(self, function: Function) -> int:
        return len(self.code & set(range(function.lineno, (function.end_lineno or function.lineno) + 1)))

    def at(self, node: ast.expr | Function) -> str:
        return f"octoplan/{self.name}:{node.lineno}"


MODULES = tuple(Module(path) for path in sorted((ROOT / "octoplan").rglob("*.py")))


def in_package(*packages: str) -> Iterator[Module]:
    return (module for module in MODULES if module.name.split("/")[0] in packages)


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """Walk a function without the functions defined inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(child for child in ast.iter_child_nodes(node) if not isinstance(child, Function))


def words(node: ast.expr) -> Iterator[str]:
    """Every string a rule name given to `finding` may be; nothing for a variable."""
    match node:
        case ast.Constant(value=str(word)):
            yield word
        case ast.IfExp(body=first, orelse=second):
            yield from words(first)
            yield from words(second)


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def report(violations: Iterable[object]) -> None:
    """Fail with one violation a line."""
    listed = [str(violation) for violation in violations]
    assert not listed, "\n".join(["", *listed])


def calls(module: Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))


def test_functions_are_short() -> None:
    sizes = [
        (module.code_lines(function), module.at(function)) for module in MODULES for function, _ in module.functions
    ]
    report([(size, place) for size, place in sizes if size > LONGEST_FUNCTION])
    lengths = sorted(size for size, _ in sizes)
    sys.stdout.write(f"functions: median {statistics.median(lengths)}, p95 {lengths[len(lengths) * 95 // 100]} lines\n")


def test_modules_are_short() -> None:
    sizes = [(len(module.code), module.name) for module in MODULES]
    report([(size, name) for size, name in sizes if size > LONGEST_MODULE])
    lengths = sorted(size for size, name in sizes if not name.endswith("__init__.py"))
    sys.stdout.write(f"modules: median {statistics.median(lengths)}, p95 {lengths[len(lengths) * 95 // 100]} lines\n")


def test_functions_branch_little() -> None:
    counts = [
        (sum(isinstance(node, BRANCHING) for node in own_nodes(function)), module.at(function))
        for module in MODULES
        for function, _ in module.functions
    ]
    report([(count, place) for count, place in counts if count > MOST_BRANCHES])


def test_parameters_are_few_and_named() -> None:
    """At most five, at most two of them positional; `__exit__` and its like have the language's own."""
    imposed = re.compile(rf"__(?!init__|new__)\w+__|{'|'.join(FOREIGN_SIGNATURES)}")
    too_many = []
    for module in MODULES:
        for function, is_method in module.functions:
            if imposed.fullmatch(function.name):
                continue
            positional = len(function.args.posonlyargs) + len(function.args.args) - is_method
            total = positional + len(function.args.kwonlyargs)
            if total > MOST_PARAMETERS or positional > MOST_POSITIONAL:
                too_many.append((module.at(function), function.name, positional, total))
    report(too_many)


def test_limits_have_no_exceptions() -> None:
    silenced = re.compile(
        r"#\s*(noqa\s*$|noqa:.*\b(C901|PLR09\d\d|ALL)\b|ruff:\s*noqa|type:\s*ignore\s*$|mypy:)", re.MULTILINE
    )
    report([module.name for module in MODULES if silenced.search(module.text)])


def test_pragmas_stay_within_budget() -> None:
    assert sum(len(re.findall(r"pragma:\s*no (cover|branch)", module.text)) for module in MODULES) <= MOST_PRAGMAS


def test_modules_own_a_noun() -> None:
    named = [(part, module.name) for module in MODULES for part in module.path.with_suffix("").parts[-3:]]
    report([name for part, name in named if part.lstrip("_") in FORBIDDEN_NAMES])


def test_modules_say_what_they_are_for() -> None:
    report([module.name for module in MODULES if not ast.get_docstring(module.tree)])


def test_only_the_command_line_prints() -> None:
    places = [
        module.at(call)
        for module in MODULES
        if not module.name.startswith("cli/")
        for call in calls(module)
        if isinstance(call.func, ast.Name) and call.func.id == "print"
    ]
    report(places)


def test_the_pure_part_reads_no_clock_and_no_disk() -> None:
    places = [
        module.at(call)
        for module in in_package(*PURE)
        for call in calls(module)
        if (called(call) in CLOCKS or ast.unparse(call.func) in DISKS)
    ]
    report(places)


def test_the_environment_is_read_in_one_place() -> None:
    places = [
        module.at(node)
        for module in MODULES
        if not module.name.startswith(ENVIRONMENT_READERS)
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Attribute) and node.attr in ENVIRONMENT)
        or (isinstance(node, ast.Name) and node.id in ENVIRONMENT)
    ]
    report(places)


def test_every_finding_is_in_the_catalogue() -> None:
    unknown = [
        (module.at(call), rule)
        for module in MODULES
        for call in calls(module)
        if called(call) in {"finding", "_finding"} and call.args
        for rule in words(call.args[0])
        if rule not in RULES and re.fullmatch(r"[\w-]+", rule)
    ]
    report(unknown)


def test_every_rule_of_the_catalogue_is_used() -> None:
    """A rule name stands somewhere outside the catalogue, as a whole string."""
    written = {
        node.value
        for module in MODULES
        if module.name != "core/rules/__init__.py"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    report(sorted(RULES.keys() - written))


def texts() -> Iterator[tuple[str, str]]:
    """Every text file of the repository, by its path."""
    folders = ("octoplan", "tests", "docs", "campaigns", "schemas", "benchmarks", ".ci")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    for path in [*ROOT.iterdir(), *files]:
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".coverage"):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8", errors="replace")


def test_no_file_knows_a_machine() -> None:
    machine = re.compile(r"(?<![\w.~])/(?:work|root|home|Users)/\w")
    report([name for name, text in texts() if machine.search(text)])


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"(?:#|<!--|--|//)[^\n\"'`]*\b(?:TODO|FIXME|XXX)\b")
    report([name for name, text in texts() if later.search(text)])
