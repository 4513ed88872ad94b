"""One training in two processes, as `accelerate launch` starts them: both learn the same, one of them writes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training.runs import SETTINGS, model
from tests.wheel import cast
from zoetrope.models.catalogue import Model
from zoetrope.training import loop
from zoetrope.training.cache import Cache, encode_pictures, encode_words
from zoetrope.training.dataset import arrange, read_dataset

STEPS = 3
# A GPU is not asked for: without one, this is how accelerate starts several processes on one machine.
LAUNCH = ["launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
LAUNCH += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
# The command itself; beside it, each process leaves the weights that it ended with and the first batch it saw.
SCRIPT = """
import json, sys
from pathlib import Path
from safetensors.torch import save_file
from zoetrope.cli import main
from zoetrope.training import loop

learn, folder = loop.Trainer.train, Path(sys.argv.pop(1))

def train(self, *told):
    learn(self, *told)
    rank = self._processes.process_index
    save_file({name: weight.detach() for name, weight in self.adapter.weights.items()}, folder / f"{rank}.safetensors")
    seen = [each.item.sha256 for each in self.batch(0)]
    (folder / f"{rank}.json").write_text(json.dumps([self._processes.num_processes, seen]))

loop.Trainer.train = train
main()
"""


@pytest.mark.skipif(torch.cuda.is_available(), reason="two processes would want two GPUs")
def test_two_processes_learn_the_same_and_one_writes(tmp_path: Path) -> None:
    found = model(tmp_path)
    cast.folder(tmp_path / "data", 4)
    done = launched(tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    # One object: the other process says nothing.
    assert json.loads(done.stdout)["steps"] == STEPS
    (world, first), (_, second) = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert world == 2
    assert first != second
    assert (tmp_path / "0.safetensors").read_bytes() == (tmp_path / "1.safetensors").read_bytes()
    left = sorted(path.name for path in (tmp_path / "out").iterdir())
    made = [loop.METRICS, "out.json", "out.png", "out.safetensors", "preview.png", "samples", loop.STATE]
    assert left == [".training.lock", *made]
    assert len((tmp_path / "out" / loop.METRICS).read_text().splitlines()) == 1
    assert [path.name for path in (tmp_path / "out" / "samples").iterdir()] == ["000003-0.png"]
    shared, alone = load_file(str(tmp_path / "0.safetensors")), as_one(tmp_path, found)
    assert all(torch.allclose(shared[name], alone[name], atol=1e-5) for name in alone)


def launched(tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    script = tmp_path / "ranks.py"
    script.write_text(SCRIPT)
    arguments = ["train", "--model", "dev", "--data", str(tmp_path / "data"), "--output", str(tmp_path / "out")]
    arguments += f"--steps {STEPS} --rank 2 --lr 0.02 --resolution 32 --batch-size 2 --precision fp32".split()
    arguments += ["--sample", "ada", "--sample-every", "10", "--json"]
    accelerate = shutil.which("accelerate", path=str(Path(sys.executable).parent))
    assert accelerate is not None
    command = [accelerate, *LAUNCH, str(script), str(tmp_path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def as_one(tmp_path: Path, found: Model) -> dict[str, torch.Tensor]:
    """The weights when one process takes both shares of every step and learns from their mean."""
    settings = SETTINGS.model_copy(update={"steps": STEPS, "warmup": 20})
    learner = found.family.learner(found.folder, found.plan())
    cache = Cache(tmp_path / "cache", found.sha256)
    shown = arrange(read_dataset(tmp_path / "data").items, settings.resolutions, 4)
    encode_words(cache, learner, ["", *(each.item.caption for each in shown)])
    encode_pictures(cache, learner, shown)
    trainer = loop.Trainer(learner, cache, loop.Plan(shown, (), ""), settings, tmp_path / "alone")
    alone: Any = trainer._processes
    for step in range(STEPS):
        trainer.step = step
        trainer.optimizer.param_groups[0]["lr"] = settings.lr * (step + 1) / settings.warmup
        trainer.optimizer.zero_grad()
        for rank in (0, 1):
            share: Any = SimpleNamespace(process_index=rank, num_processes=2)
            trainer._processes = share
            (trainer._loss(trainer.batch(step)) / 2).backward()
        trainer._processes = alone
        trainer._clip_and_share()
        trainer.optimizer.step()
    return {name: weight.detach() for name, weight in trainer.adapter.weights.items()}
