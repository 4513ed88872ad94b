"""nano-flux's recipe: what it weighs, what it never sees, and that it learns."""

import random

import pytest
import torch

from zoetrope.world.sampling import held_out, random_identity
from zoetrope.world.training import flux, vae


def test_the_face_weighs_more_wherever_the_head_is() -> None:
    weights = flux.face_weights((0.5, 0.4), 0.27).view(8, 8)
    assert weights[3, 3] == weights[3, 4] == flux.FACE_WEIGHT
    assert weights[0].tolist() == weights[7].tolist() == [1.0] * 8
    small = flux.face_weights((0.5, 0.27), 0.17).view(8, 8)
    assert small.sum() < weights.sum() + 1
    assert flux.face_weights((0.9, 0.4), 0.27).view(8, 8)[3, 3] == 1.0


def test_what_is_held_out_is_never_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def noted(rng: random.Random, **wishes: bool) -> object:
        seen.append(random_identity(rng, **wishes))
        return seen[-1]

    monkeypatch.setattr(flux, "random_identity", noted)
    rng = random.Random(3)
    for _ in range(60):
        caption, _, _ = flux.training_example(rng)
        assert "style" not in caption
    assert len(seen) == 60
    assert not any(held_out(identity) or identity.mark != "none" for identity in seen)


def test_one_step_moves_every_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flux, "BATCH", 2)
    monkeypatch.setattr(flux, "WORDLESS_SHARE", 0.0)
    torch.manual_seed(0)
    untrained = vae.new_vae()
    untrained.register_to_config(shift_factor=0.0, scaling_factor=1.0)
    recipe = flux.FluxRecipe(flux.new_pipeline(untrained))
    loss = recipe.loss(random.Random(1))
    loss.backward()
    assert loss.isfinite()
    moved = {name.split(".")[0] for name, weight in recipe.parameters() if weight.grad is not None}
    assert moved == {"transformer", "clip", "t5"}
    assert not any(weight.requires_grad for weight in recipe.vae.parameters())
    decoder = vae.DecoderRecipe(recipe.vae)
    assert all(weight.requires_grad and name.startswith("decoder.") for name, weight in decoder.parameters())
