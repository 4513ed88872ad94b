"""The training loop: it learns, it resumes as if nothing had happened, and its recipes make what they promise."""

import json
import random
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from zoetrope.errors import UserError
from zoetrope.world.training import loop


class Line:
    """Learns y = 3x, by one weight."""

    name = "line"

    def __init__(self) -> None:
        self.module: nn.Module = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.module.weight)
        self.drawn: list[float] = []

    def parameters(self) -> Iterable[tuple[str, nn.Parameter]]:
        return self.module.named_parameters()

    def loss(self, rng: random.Random) -> Tensor:
        self.drawn.append(rng.random())
        x = torch.randn(8, 1)
        return nn.functional.mse_loss(self.module(x), 3 * x)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step takes one second."""
    now = iter(range(10**6))
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: next(now)))


def weight(recipe: Line) -> float:
    return next(iter(dict(recipe.parameters()).values())).item()


@pytest.mark.usefixtures("clock")
def test_it_learns(tmp_path: Path) -> None:
    recipe = Line()
    average = loop.train(recipe, tmp_path, seconds=1500, seed=1, learning_rate=0.05)
    assert average["weight"].item() == pytest.approx(3.0, abs=0.2)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [100 * (i + 1) for i in range(len(lines))]
    assert lines[-1]["loss"] < lines[0]["loss"]


@pytest.mark.usefixtures("clock")
def test_a_resumed_run_goes_on_as_if_nothing_had_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_schedule", lambda spent, step: 1.0)
    whole = Line()
    loop.train(whole, tmp_path / "whole", seconds=40, seed=1, learning_rate=0.05)
    loop.train(Line(), tmp_path / "halves", seconds=15, seed=1, learning_rate=0.05)
    second = Line()
    loop.train(second, tmp_path / "halves", seconds=40, seed=1, learning_rate=0.05)
    assert 0 < len(second.drawn) < len(whole.drawn)
    assert second.drawn == whole.drawn[-len(second.drawn) :]
    assert weight(second) == weight(whole)


@pytest.mark.usefixtures("clock")
def test_steps_made_again_are_logged_once(tmp_path: Path) -> None:
    loop.train(Line(), tmp_path, seconds=600, seed=1, learning_rate=0.05)
    kept = (tmp_path / "line.safetensors").read_bytes()
    loop.train(Line(), tmp_path, seconds=1200, seed=1, learning_rate=0.05)
    (tmp_path / "line.safetensors").write_bytes(kept)  # as a kill before the next checkpoint leaves it
    loop.train(Line(), tmp_path, seconds=900, seed=1, learning_rate=0.05)
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == sorted(set(steps))


@pytest.mark.usefixtures("clock")
def test_a_damaged_checkpoint_is_kept_and_named(tmp_path: Path) -> None:
    loop.train(Line(), tmp_path, seconds=20, seed=1, learning_rate=0.05)
    checkpoint = tmp_path / "line.safetensors"
    for damaged in (checkpoint.read_bytes()[:40], b"", b"junk" * 50):
        checkpoint.write_bytes(damaged)
        with pytest.raises(UserError, match="damaged or of another training"):
            loop.train(Line(), tmp_path, seconds=40, seed=1, learning_rate=0.05)
        assert checkpoint.read_bytes() == damaged


@pytest.mark.usefixtures("clock")
def test_a_torn_log_line_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"name": "line", "st')
    loop.train(Line(), tmp_path, seconds=300, seed=1, learning_rate=0.05)
    assert all(json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines())


def test_the_learning_rate_warms_up_and_comes_down() -> None:
    rates = [loop._schedule(spent / 100, step=10_000) for spent in range(101)]
    assert rates[0] == rates[30] == 1.0
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(0.02)
    assert loop._schedule(0.0, step=0) < 0.05
