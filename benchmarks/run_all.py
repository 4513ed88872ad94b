"""Run the benchmarks and write their bars to docs/results.md. Run: make bench, or make soak for the long ones."""

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zoetrope.models.memory import multiplies_bf16

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "results.md"
SOAK = ("publishing", "crashes", "run_crashes", "fullsize", "wheel")
"""Those that are too long for `make bench`, as they come: posts after twenty minutes, the wheel's two hours last."""

OPENING = """# What was measured

<!-- Written by `make bench` and `make soak`; each benchmark replaces its own section. -->

Every benchmark is a program in `benchmarks/` that can be run alone: `python benchmarks/NAME.py`. Its first line says
what it measures.
"""


def machine() -> str:
    """What a figure depends on, without saying whose machine it was."""
    return (
        f"{os.cpu_count()} cores ({_processor()}), Python {platform.python_version()}, "
        f"torch {version('torch')}, diffusers {version('diffusers')}"
    )


def _processor() -> str:
    """Its kind, and whether it multiplies bfloat16: trainings differ most by that."""
    return f"{platform.machine()} {'with' if multiplies_bf16('cpu') else 'without'} bfloat16"


def names(kind: str) -> list[str]:
    """The benchmarks of a kind, `bench` or `soak`: the programs of this folder, without what they share."""
    programs = (
        path for path in HERE.glob("*.py") if '\nif __name__ == "__main__":' in path.read_text(encoding="utf-8")
    )
    found = {path.stem for path in programs} - {Path(__file__).stem}
    return [name for name in SOAK if name in found] if kind == "soak" else sorted(found.difference(SOAK))


def run(name: str) -> dict[str, Any] | None:
    """One benchmark's bars, or nothing when it did not get that far; its remarks go to stderr as they come."""
    done = subprocess.run([sys.executable, HERE / f"{name}.py", "--json"], stdout=subprocess.PIPE, text=True)
    try:
        bars: dict[str, Any] = json.loads(done.stdout)["bars"]
    except (ValueError, KeyError, TypeError):
        return None
    return bars


def figure(value: Any) -> str:
    """A number as a person reads it; a value that was not a number arrives as None."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def section(bars: dict[str, Any] | None) -> str:
    """The text under a benchmark's heading."""
    if bars is None:
        return "It ended without a result.\n"
    if not bars:
        return "Not measured on this machine: it lacks what this benchmark needs.\n"
    rows = [
        f"| {name} | {figure(bar['value'])} | {figure(bar['limit'])} | {'yes' if bar['holds'] else '**no**'} |"
        for name, bar in bars.items()
    ]
    return "\n".join([f"On {machine()}.", "", "| bar | value | limit | holds |", "|---|---|---|---|", *rows, ""])


def earlier() -> dict[str, str]:
    """The sections that the page has now, by benchmark."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    parts = re.split(r"^## (\S+)\n+", text, flags=re.MULTILINE)[1:]
    return {name: body.strip() + "\n" for name, body in zip(parts[::2], parts[1::2], strict=True)}


def write(sections: dict[str, str]) -> None:
    """Replace the page in one step; a benchmark that no longer exists loses its section."""
    known = {*names("bench"), *names("soak")}
    text = OPENING + "".join(f"\n## {name}\n\n{sections[name]}" for name in sorted(known & sections.keys()))
    with tempfile.NamedTemporaryFile("w", dir=PAGE.parent, encoding="utf-8", delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, PAGE)


def main(kind: str) -> int:
    """Run them all, keep each result as it comes, and return 1 when a bar does not hold."""
    chosen = names(kind)
    if not chosen:
        print(f"There are no {kind} benchmarks yet.")
    fine = True
    for name in chosen:
        print(f"\n{name}", flush=True)
        bars = run(name)
        # Where nothing could be measured, what another machine measured stays.
        if bars or bars is None or name not in earlier():
            write(earlier() | {name: section(bars)})
        print(section(bars), flush=True)
        fine = fine and bars is not None and all(bar["holds"] for bar in bars.values())
    return 0 if fine else 1


if __name__ == "__main__":
    if sys.argv[1:] not in (["bench"], ["soak"]):
        sys.exit("Say which: python benchmarks/run_all.py bench, or soak.")
    sys.exit(main(sys.argv[1]))
