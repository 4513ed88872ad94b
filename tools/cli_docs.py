"""Write docs/cli.md from the commands themselves. Run: python tools/cli_docs.py"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from zoetrope.cli import app

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
OPENING = """# The command line

<!-- Written by `make docs` from the commands themselves; a test fails when it is stale. -->

A command's answer is on stdout; progress and remarks are on stderr, where no terminal shows a bar as a line every ten
seconds. With `--json`, stdout holds one JSON object and nothing else. A mistake in what was asked ends with exit code 2
and one sentence on stderr, Ctrl-C with exit code 130.
"""


def commands(command: Any, name: str = "zoetrope") -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its full name."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for part, child in inner.items():
        yield from commands(child, f"{name} {part}")


def prose(text: str | None) -> str:
    """Help as a terminal would show it: its paragraphs and indented lines kept."""
    lines = (text or "").replace("\b", "").strip().splitlines()
    return "\n".join(line.rstrip() for line in lines)


def section(name: str, command: Any) -> str:
    """One command's heading, description and options."""
    context = command.make_context(name, [], resilient_parsing=True)
    records = [record for parameter in command.get_params(context) if (record := parameter.get_help_record(context))]
    rows = [f"| `{in_row(left)}` | {meaning(right)} |" for left, right in records if "--help" not in left]
    table = "\n\n| option | meaning |\n|---|---|\n" + "\n".join(rows) if rows else ""
    body = prose(f"{command.help or ''}\n\n{command.epilog or ''}")
    return f"\n## {name}\n\n{as_code(body)}{table}\n"


def as_code(text: str) -> str:
    """Examples set apart from the sentences around them."""
    return re.sub(r"^ *Example: *", "    ", text, flags=re.MULTILINE)


def meaning(text: str) -> str:
    """An option's help in a table row; what typer adds in brackets (default, required) moved into parentheses."""
    said, bracket, added = text.partition("  [")
    return in_row(" ".join(prose(said).split()) + (f" ({added.rstrip(']')})" if bracket else ""))


def in_row(text: str) -> str:
    """Text that a table row can hold."""
    return text.replace("|", "\\|")


def render() -> str:
    """The whole page."""
    return OPENING + "".join(section(name, command) for name, command in commands(get_command(app)))


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
