"""The documentation says what is so: commands, links and the index of pages."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tools.cli_docs import PAGE, commands, prose, render
from zoetrope.cli import app

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
COMMANDS = dict(commands(get_command(app)))


def test_the_command_line_reference_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run `make docs` and commit docs/cli.md"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example(name: str) -> None:
    command = COMMANDS[name]
    help_text = prose(command.help) + prose(command.epilog)
    assert re.search(rf"^\s*(Example: *)?{name} ?", help_text, re.MULTILINE), f"no line with `{name} …` in its help"


@pytest.mark.parametrize("name", COMMANDS)
def test_no_word_of_the_help_shows_an_escape(name: str) -> None:
    command = COMMANDS[name]
    texts = [command.help, command.epilog, *(getattr(parameter, "help", None) for parameter in command.params)]
    assert [text for text in texts if text and "\\" in text] == [], "help is plain text"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_answer_in_json(name: str) -> None:
    parameters: list[Any] = COMMANDS[name].params
    assert "--json" in [option for parameter in parameters for option in parameter.opts]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in ROOT.glob("docs/*.md") if page.name not in index and page.name != "README.md"] == []
