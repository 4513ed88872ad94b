"""What drawing through the engine process costs over drawing in one's own process, both warm.

Run: python benchmarks/engine_process.py [--json]
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from benchmarks.engine_overhead import best
from zoetrope.engines.engine import Step
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.engines.local.process import EngineProcess
from zoetrope.models.catalogue import Catalogue

MODEL = "nano-flux"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    as_json = parser.parse_args().json
    with tempfile.TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        os.environ["ZOETROPE_HOME"] = folder
        seconds = measure()
    bars = {"process_over_engine": Bar(seconds["process"] / seconds["engine"], 1.05)}
    rows = [{"measured": name, "seconds": value} for name, value in seconds.items()]
    return report("engine process", rows, bars, as_json)


def measure() -> dict[str, float]:
    """The same recipe in turns, its steps listened to; from the process comes a decoded picture too."""
    recipe = order(Catalogue().find(MODEL), "a portrait of a smiling girl with red hair", seed=1)
    steps: list[Step] = []
    engine = LocalEngine()
    with EngineProcess() as process:
        if process.make(recipe)[0].image.tobytes() != engine.make(recipe)[0].image.tobytes():
            raise SystemExit("the process draws another picture")
        return best(
            {"engine": lambda: engine.make(recipe, steps.append), "process": lambda: process.make(recipe, steps.append)}
        )


if __name__ == "__main__":
    raise SystemExit(main())
