"""Guided drawing in one pass a step: fewer calls, the same picture."""

from contextlib import nullcontext
from typing import Any

import pytest
import torch

from tests import tiny
from tests.models.test_flux import PLAN, recipe
from zoetrope.models import memory
from zoetrope.models.families import FAMILIES
from zoetrope.models.guidance import together

STEPS = 3


class Drawing:
    """What one drawing by a kind of model came to, and how often its network was asked for how many pictures."""

    def __init__(self, kind: str, in_one: bool, **changes: object) -> None:
        family = FAMILIES["flux_kontext" if kind == "kontext" else "flux"]
        pipeline = family.load(tiny.saved(kind), PLAN)
        self.asked: list[int] = []
        pipeline.transformer.x_embedder.register_forward_pre_hook(lambda _, given: self.asked.append(len(given[0])))
        order = recipe(steps=STEPS, batch_size=2, **changes)
        generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
        arguments: dict[str, Any] = family.call_arguments(order, generators, None) | {"output_type": "np"}
        with together(pipeline) if in_one else nullcontext():
            self.pictures = torch.from_numpy(pipeline(**arguments).images)
        assert "forward" not in vars(pipeline.transformer)


@pytest.mark.parametrize("kind", ["dev", "schnell", "kontext"])
def test_the_first_step_shows_what_the_others_need(kind: str) -> None:
    guided = {"true_guidance": 3.0, "negative_prompt": "a boy"}
    plain, in_one = Drawing(kind, False, **guided), Drawing(kind, True, **guided)
    assert plain.asked == [2] * 2 * STEPS
    assert in_one.asked == [2, 2] + [4] * (STEPS - 1)
    torch.testing.assert_close(in_one.pictures, plain.pictures, atol=1e-5, rtol=1e-5)


def test_what_is_not_guided_is_looked_at_as_ever() -> None:
    plain, in_one = Drawing("dev", False), Drawing("dev", True)
    assert in_one.asked == plain.asked == [2] * STEPS
    assert torch.equal(in_one.pictures, plain.pictures)


def test_a_large_network_looks_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_FEW_WEIGHTS", 10)
    assert Drawing("dev", True, true_guidance=3.0).asked == [2] * 2 * STEPS
