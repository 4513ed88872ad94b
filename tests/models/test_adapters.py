"""LoRAs on a warm pipeline: swapped without loading the base again, and gone without a trace."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import tiny
from tests.models.test_flux import PLAN, recipe
from zoetrope.errors import UserError
from zoetrope.models import memory
from zoetrope.models.adapters import Adapters
from zoetrope.models.families import FAMILIES
from zoetrope.models.loras import open_lora, read_state

KINDS = {"dev": FAMILIES["flux"], "schnell": FAMILIES["flux"], "kontext": FAMILIES["flux_kontext"]}


class Stage:
    """A warm pipeline of a kind, and what it draws with which LoRAs."""

    def __init__(self, kind: str, keep: int = 8) -> None:
        self.kind, self.family = kind, KINDS[kind]
        self.pipeline = self.family.load(tiny.saved(kind), PLAN)
        self.adapters = Adapters(self.pipeline, keep)
        self.read: list[str] = []

    def draw(self, **weights: float) -> str:
        """`seed_1=0.5` is the LoRA of that seed at that weight."""
        self.adapters.use(weights, self._read)
        arguments = self.family.call_arguments(recipe(), [torch.Generator().manual_seed(1)], None)
        return hashlib.sha256(self.pipeline(**arguments).images[0].tobytes()).hexdigest()

    def weights(self) -> dict[str, torch.Tensor]:
        """The base's own, by their names before any LoRA."""
        found = self.pipeline.transformer.state_dict()
        return {name.replace(".base_layer", ""): each.clone() for name, each in found.items() if "lora_" not in name}

    def changed(self, before: dict[str, torch.Tensor]) -> list[str]:
        return [name for name, weight in self.weights().items() if not torch.equal(weight, before[name])]

    def _read(self, name: str) -> dict[str, torch.Tensor]:
        self.read.append(name)
        path = tiny.saved_lora(self.kind, seed=int(name.removeprefix("seed_")))
        return read_state(open_lora(path), self.family, tiny.saved(self.kind))


@pytest.mark.parametrize("kind", KINDS)
def test_loras_swap_on_a_warm_base_and_leave_it_as_it_was(kind: str) -> None:
    stage = Stage(kind)
    base = stage.draw()
    first, second = stage.draw(seed_1=1.0), stage.draw(seed_2=1.0)
    both = stage.draw(seed_1=1.0, seed_2=0.5)
    assert len({base, first, second, both}) == 4
    assert stage.draw(seed_1=1.0) == first
    assert stage.draw(seed_1=0.0) == stage.draw() == base
    assert stage.draw(seed_2=1.0) == second
    assert stage.read == ["seed_1", "seed_2"]


@pytest.mark.parametrize("alpha", [2, 4])
def test_a_lora_does_what_plain_diffusers_does_with_it(alpha: int) -> None:
    path = tiny.saved_lora("dev", alpha=alpha)
    family, folder = KINDS["dev"], tiny.saved("dev")
    arguments: dict[str, Any] = {"output_type": "np"}

    def draw(pipeline: Any) -> torch.Tensor:
        call = family.call_arguments(recipe(), [torch.Generator().manual_seed(1)], None)
        return torch.from_numpy(pipeline(**call, **arguments).images)

    ours, theirs = family.load(folder, PLAN), family.load(folder, PLAN)
    Adapters(ours).use({"x": 0.7}, lambda name: read_state(open_lora(path), family, folder))
    theirs.load_lora_weights(str(path), adapter_name="x")
    theirs.set_adapters(["x"], [0.7])
    torch.testing.assert_close(draw(ours), draw(theirs), atol=1e-5, rtol=1e-5)


def test_a_small_base_takes_loras_into_its_weights_and_gets_its_own_back() -> None:
    stage = Stage("dev")
    own = stage.weights()
    stage.draw(seed_1=1.0, seed_2=0.5)
    assert set(stage.changed(own)) == {
        name for name in own if any(name.endswith(f".{layer}.weight") for layer in tiny.TARGETS)
    }
    stage.draw(seed_2=0.3)
    stage.draw()
    assert stage.changed(own) == []


def test_a_large_base_has_them_beside_its_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Stage("dev")
    small.draw(seed_1=0.7)
    monkeypatch.setattr(memory, "_FEW_WEIGHTS", 10)
    stage = Stage("dev")
    own = stage.weights()
    stage.draw(seed_1=0.7)
    assert stage.changed(own) == []
    layers = [each.pipeline.transformer.transformer_blocks[0].attn.to_q for each in (small, stage)]
    wide = torch.rand(3, layers[0].in_features)
    torch.testing.assert_close(layers[0](wide), layers[1](wide))


def test_the_longest_unused_leaves(tmp_path: Path) -> None:
    stage = Stage("dev", keep=2)
    first = stage.draw(seed_1=1.0)
    stage.draw(seed_2=1.0)
    stage.draw(seed_1=1.0)
    stage.draw(seed_3=1.0)
    assert [f"seed_{seed}" in stage.adapters for seed in (1, 2, 3)] == [True, False, True]
    assert stage.draw(seed_1=1.0) == first
    assert stage.read == ["seed_1", "seed_2", "seed_3"]


def test_more_at_once_than_are_kept_still_work() -> None:
    stage = Stage("dev", keep=1)
    assert stage.draw(seed_1=1.0, seed_2=1.0) == Stage("dev").draw(seed_1=1.0, seed_2=1.0)


def test_one_that_cannot_be_applied_leaves_no_trace() -> None:
    stage = Stage("dev")
    base = stage.draw()
    wrong = {"transformer.transformer_blocks.0.attn.to_q.lora_A.weight": torch.ones(2, 7)}
    wrong |= {"transformer.transformer_blocks.0.attn.to_q.lora_B.weight": torch.ones(7, 2)}
    with pytest.raises(UserError, match="cannot be applied"):
        stage.adapters.use({"bad": 1.0}, lambda name: wrong)
    assert "bad" not in stage.adapters
    assert stage.draw() == base
    assert stage.draw(seed_1=1.0) == Stage("dev").draw(seed_1=1.0)


def test_a_lora_of_half_precision_draws_in_the_bases() -> None:
    stage = Stage("dev")
    path = tiny.saved_lora("dev")
    halves = {
        name: tensor.half() for name, tensor in read_state(open_lora(path), stage.family, tiny.saved("dev")).items()
    }
    stage.adapters.use({"half": 1.0}, lambda name: halves)
    assert {p.dtype for n, p in stage.pipeline.transformer.named_parameters() if "lora" in n} == {torch.float32}
