"""What drawing through the studio costs over the bare pipeline, both warm: from the click to the pictures' rows.

Run: python benchmarks/drawing.py [--json]
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from benchmarks.engine_overhead import best

MODEL = "nano-flux"
PICTURES = 16
SETTINGS = "zoetrope.studio.settings"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    as_json = parser.parse_args().json
    with tempfile.TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        os.environ |= {"ZOETROPE_HOME": folder, "DJANGO_SETTINGS_MODULE": SETTINGS}
        os.environ.pop("DATABASE_URL", None)
        seconds = measure(Path(folder))
    rows: list[dict[str, Any]] = [{"measured": name, "seconds": value} for name, value in seconds.items()]
    return report("drawing", rows, {"studio_over_bare": Bar(seconds["studio"] / seconds["bare"], 1.10)}, as_json)


def measure(home: Path) -> dict[str, float]:
    """The same order in turns: by diffusers' pipeline alone, and by a worker and its engine."""
    from tests.studio.jobs.stage import Workers, state, until
    from zoetrope.engines.batches import split
    from zoetrope.engines.local.engine import LocalEngine
    from zoetrope.engines.local.orders import order
    from zoetrope.models.catalogue import Catalogue
    from zoetrope.studio import start
    from zoetrope.studio.making import orders
    from zoetrope.studio.spaces.models import Space

    start.prepare()
    space = Space.objects.create(name="Studio", slug="studio")
    model = Catalogue().find(MODEL)
    recipe = order(model, "a portrait of a smiling girl with red hair", seed=1)
    pipeline = LocalEngine().warm(recipe).pipeline
    workers = Workers(home, SETTINGS)
    workers.start()

    def bare() -> None:
        import torch

        for batch in split(recipe, PICTURES):
            generators = [torch.Generator("cpu").manual_seed(batch.seed + n) for n in range(batch.batch_size)]
            pipeline(**model.family.call_arguments(batch, generators, None))

    def studio() -> None:
        job = orders.job_of(orders.place(space, recipe, PICTURES, None))
        assert job is not None
        until(lambda: state(job) == "done", 120)

    try:
        studio()
        return best({"bare": bare, "studio": studio})
    finally:
        workers.kill()


if __name__ == "__main__":
    raise SystemExit(main())
