"""The shell of the command line: what a user reads when something goes wrong, and how answers are given."""

import json
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from zoetrope import __version__
from zoetrope.cli import Shell, app
from zoetrope.cli.output import JsonFlag, emit, progress_bar
from zoetrope.errors import UserError

runner = CliRunner()


def failing(error: BaseException) -> typer.Typer:
    """An app of the same shell with one command that fails."""
    broken = typer.Typer(cls=Shell, pretty_exceptions_enable=False)

    @broken.callback()
    def group() -> None: ...

    @broken.command()
    def work() -> None:
        raise error

    return broken


def test_version() -> None:
    result = runner.invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"zoetrope {__version__}\n")


@pytest.mark.parametrize("arguments", [[], ["models"], ["world"]])
def test_help_when_nothing_is_asked(arguments: list[str]) -> None:
    result = runner.invoke(app, arguments)
    assert result.exit_code == 2
    assert "Commands" in result.output
    assert "Error" not in result.output


@pytest.mark.parametrize("arguments", [["nosuch"], ["--nosuch"], ["generate", "--nosuch"], ["world", "draw", "nosuch"]])
def test_a_mistyped_command_is_one_sentence(arguments: list[str]) -> None:
    result = runner.invoke(app, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "--help" in result.stderr


def test_a_users_mistake_is_one_sentence() -> None:
    result = runner.invoke(failing(UserError("The prompt is empty:\nsay what to draw.")), ["work"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: The prompt is empty: say what to draw.\n"


def test_an_interruption_is_one_sentence() -> None:
    result = runner.invoke(failing(KeyboardInterrupt()), ["work"])
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.startswith("Stopped: ")
    assert result.stderr.count("\n") == 1


def test_the_unexpected_keeps_its_traceback() -> None:
    error = ZeroDivisionError("ours to mend")
    assert runner.invoke(failing(error), ["work"]).exception is error


def test_the_unexpected_ends_with_exit_code_1() -> None:
    code = "import zoetrope.cli as c; c.app.command('burst')(lambda: 1 / 0); c.app(['burst'])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Traceback")
    assert ended.stderr.endswith("ZeroDivisionError: division by zero\n")


def speaking() -> typer.Typer:
    spoken = typer.Typer(cls=Shell)

    @spoken.command()
    def count(as_json: JsonFlag = False) -> None:
        with progress_bar("Counting", 3, as_json=as_json) as move:
            for done in range(1, 4):
                move(done)
        emit({"count": 3}, as_json, lambda: typer.echo("three"))

    return spoken


@pytest.mark.parametrize(
    ("arguments", "reads"),
    [([], lambda out: out == "three\n"), (["--json"], lambda out: json.loads(out) == {"count": 3})],
)
def test_the_answer_alone_is_on_stdout(arguments: list[str], reads: Callable[[str], bool]) -> None:
    result = runner.invoke(speaking(), arguments)
    assert result.exit_code == 0
    assert reads(result.stdout)
    assert result.stderr == ""


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_where_no_terminal_shows_a_bar_lines_tell_how_far_long_work_is(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(0, 100, 6))
    monkeypatch.setattr("zoetrope.cli.output.time", SimpleNamespace(monotonic=lambda: next(seconds)))
    result = runner.invoke(speaking(), arguments)
    assert result.stderr == "Counting 2/3\n", "ten seconds had passed, and then not yet again"


def test_a_sentence_that_repeats_hostile_words_gives_the_terminal_no_orders() -> None:
    result = runner.invoke(failing(UserError("a\x1b[31m\u202eb.png is none.")), ["work"])
    assert result.stderr == "Error: a\\x1b[31m\\u202eb.png is none.\n"


@pytest.mark.parametrize("command", [["studio"], ["studio", "--link", "olga"], ["demo"]])
def test_what_the_studio_lacks_is_named(command: list[str]) -> None:
    """In a process of its own, where Django cannot be found."""
    code = "import sys; sys.modules['django'] = None; from zoetrope.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    assert "The studio needs django, which is not installed: pip install 'zoetrope[studio]'." in done.stderr
    assert "Traceback" not in done.stderr
