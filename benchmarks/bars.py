"""How a benchmark answers: a table for people, an object ending in `bars` for programs, exit 1 when a bar fails."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Bar:
    """A measured value and the limit it is held against."""

    value: float
    limit: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        # Written so that a value that is not a number never holds.
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def told(self) -> dict[str, Any]:
        # NaN is no JSON.
        return {"value": self.value if self.value == self.value else None, "limit": self.limit, "holds": self.holds}


def report(title: str, rows: Sequence[Mapping[str, Any]], bars: Mapping[str, Bar], as_json: bool) -> int:
    """Print the measurements and the bars; the exit code."""
    if as_json:
        told = {name: bar.told() for name, bar in bars.items()}
        json.dump({"benchmark": title, "rows": [dict(row) for row in rows], "bars": told}, sys.stdout, indent=2)
        print()
    else:
        _show(title, rows, bars)
    return 0 if all(bar.holds for bar in bars.values()) else 1


def _show(title: str, rows: Sequence[Mapping[str, Any]], bars: Mapping[str, Bar]) -> None:
    console = Console()
    if rows:
        table = Table(*rows[0].keys(), title=title)
        for row in rows:
            table.add_row(*(_said(value) for value in row.values()))
        console.print(table)
    verdicts = Table("bar", "value", "limit", "")
    for name, bar in bars.items():
        sign = "≥" if bar.at_least else "≤"
        verdicts.add_row(name, _said(bar.value), f"{sign} {_said(bar.limit)}", "holds" if bar.holds else "FAILS")
    console.print(verdicts)


def _said(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
