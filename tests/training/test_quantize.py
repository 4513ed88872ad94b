"""A base held quantized while its LoRA learns: what it is estimated at, and where it cannot be."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.runs import SETTINGS, Silent, model, order
from zoetrope.errors import UserError
from zoetrope.models.memory import MemoryPlan, Quantize
from zoetrope.training.dataset import arrange
from zoetrope.training.preflight import estimate_memory
from zoetrope.training.run import train_lora
from zoetrope.training.settings import make_settings


@pytest.mark.skipif(torch.cuda.is_available(), reason="here it is not refused")
@pytest.mark.parametrize("quantize", ["fp8", "int8", "nf4"])
def test_without_cuda_it_is_refused_before_anything_is_read(tmp_path: Path, quantize: str) -> None:
    watcher = Silent()
    settings = SETTINGS.model_copy(update={"quantize": quantize})
    with pytest.raises(UserError, match="need a CUDA device, and this one is"):
        train_lora(order(tmp_path, model(tmp_path), settings=settings), watcher)
    assert watcher.said == []
    assert not (tmp_path / "out").exists()


def test_none_is_what_a_processor_does_anyway(tmp_path: Path) -> None:
    train_lora(order(tmp_path, model(tmp_path), settings=SETTINGS.model_copy(update={"quantize": "none"})), Silent())
    assert (tmp_path / "out" / "ada.safetensors").exists()


def test_a_kind_that_does_not_exist() -> None:
    with pytest.raises(UserError, match="quantize cannot be 'int4'"):
        make_settings(quantize="int4")


def test_the_estimate_counts_what_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = model(tmp_path)
    shown = arrange(order(tmp_path, found).dataset.items, SETTINGS.resolutions, 4)
    billions = {"transformer": 12 * 10**9, "vae": 0}
    monkeypatch.setattr("zoetrope.models.folders.parameters", lambda folder: billions)

    def estimate(quantize: Quantize) -> int:
        plan: Any = MemoryPlan("cuda", "bfloat16", quantize)
        return estimate_memory(found.family.learner(found.folder, plan), shown, SETTINGS)

    assert math.isclose(estimate("none") - estimate("nf4"), 0.7 * 24e9, rel_tol=0.01)
    assert estimate("nf4") < estimate("int8") == estimate("fp8") < estimate("none")
