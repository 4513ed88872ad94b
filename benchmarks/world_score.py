"""Whether nano-flux draws what it is told, and the oracle reads it right: `zoetrope world score` against its bars.

Run: python benchmarks/world_score.py [--seed N] [--json]
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report

MODEL = "nano-flux"
ORACLE = 0.99
MEAN = 0.95
SECONDS = 300.0
LIMITS = {
    "background": 0.97,
    "framing": 0.97,
    "skin": 0.93,
    "hair_colour": 0.93,
    "hair_style": 0.93,
    "clothes": 0.93,
    "expression": 0.93,
    "yaw": 0.93,
    "card": 0.90,
}


def score(seed: int) -> tuple[dict[str, Any], float]:
    """The command's own answer, and how long it took."""
    command = [sys.executable, "-m", "zoetrope.cli", "world", "score", "--seed", str(seed), "--json"]
    began = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer, time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="other seeds ask for other pictures")
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    chosen = parser.parse_args()
    answer, seconds = score(chosen.seed)
    oracle, drawn = answer["oracle"], answer[MODEL]
    rows = [
        {"attribute": name, "oracle on drawings": oracle.get(name, ""), MODEL: drawn.get(name, "")}
        for name in [*oracle, "card"]
    ]
    bars = {f"oracle_{name}": Bar(value, ORACLE, at_least=True) for name, value in oracle.items()}
    bars |= {name: Bar(drawn[name], limit, at_least=True) for name, limit in LIMITS.items()}
    bars |= {"mean": Bar(answer["mean"], MEAN, at_least=True), "seconds": Bar(seconds, SECONDS)}
    return report("world_score", rows, bars, chosen.json)


if __name__ == "__main__":
    raise SystemExit(main())
