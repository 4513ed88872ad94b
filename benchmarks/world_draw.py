"""How fast the toy world is drawn and written: 1,000 pictures with captions and truth.

Run: python benchmarks/world_draw.py [--json]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from zoetrope.world.drawings import write_samples

COUNT = 1000
SECONDS = {64: 5.0, 128: 10.0}
"""The limit by size of the pictures."""


def seconds(size: int) -> float:
    """The time to draw and write COUNT pictures, once."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        write_samples(Path(folder), seed=1, count=COUNT, size=size)
        return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    taken = {size: min(seconds(size) for _ in range(3)) for size in SECONDS}
    rows = [{"size": size, "seconds": value, "pictures a second": COUNT / value} for size, value in taken.items()]
    bars = {f"seconds_at_{size}": Bar(value, SECONDS[size]) for size, value in taken.items()}
    return report("world_draw", rows, bars, parser.parse_args().json)


if __name__ == "__main__":
    raise SystemExit(main())
