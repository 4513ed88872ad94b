"""What is installed: every import is declared, every dependency explained, every shipped file in the wheel."""

import ast
import re
import sys
import tomllib
import zipfile
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "zoetrope"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def normal(name: str) -> str:
    """A distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~;\[]", name)[0]).lower()


CORE = {normal(line) for line in PROJECT["dependencies"]}
# An extra may ask for other extras of ours, which is no dependency.
EXTRA = {normal(line) for lines in PROJECT["optional-dependencies"].values() for line in lines} - {"zoetrope"}
OPTIONAL = EXTRA - {normal(line) for line in PROJECT["optional-dependencies"]["test"]}
GPU = {normal(line) for line in PROJECT["optional-dependencies"]["gpu"]}


@cache
def distributions() -> dict[str, set[str]]:
    """Top-level module → the distributions that bring it."""
    return {module: {normal(name) for name in names} for module, names in packages_distributions().items()}


def imported(path: Path) -> set[str]:
    """The top-level names of everything outside the standard library that a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"zoetrope"}


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_import_is_a_declared_dependency(path: Path) -> None:
    undeclared = {name for name in imported(path) if not distributions().get(name, {normal(name)}) & (CORE | OPTIONAL)}
    assert undeclared == set()


def test_every_dependency_is_explained() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    assert {name for name in CORE | EXTRA if not re.search(rf"\b{name}\b", page)} == set()


def test_every_dependency_of_the_tests_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {normal(line) for line in lines if "==" in line}
    assert (CORE | EXTRA) - GPU - pinned == set()
    assert "torch==2.13.0" in lines


def test_the_wheel_holds_what_is_shipped(tmp_path: Path) -> None:
    wheel = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    shipped = {path for path in SOURCE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {f"zoetrope/{path.relative_to(SOURCE).as_posix()}" for path in shipped} - held == set()
