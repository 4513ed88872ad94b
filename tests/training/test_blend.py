"""LoRAs in one file: the weighted mean of what each changes, read by whatever reads one of them."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from zoetrope.training.blend import blended


def lora(path: Path, layers: dict[str, int], seed: int) -> Path:
    """Random halves by layer and rank."""
    chance = torch.Generator().manual_seed(seed)
    state = {}
    for layer, rank in layers.items():
        state[f"transformer.{layer}.lora_A.weight"] = torch.randn(rank, 6, generator=chance)
        state[f"transformer.{layer}.lora_B.weight"] = torch.randn(8, rank, generator=chance)
    save_file(state, path, {"modelspec.title": path.stem, "ss_network_dim": "2", "modelspec.hash_sha256": "0x0"})
    return path


def change(path: Path, layer: str) -> torch.Tensor:
    """What a LoRA adds to a layer."""
    state = load_file(path)
    nothing = torch.zeros(0, 6), torch.zeros(8, 0)
    down = state.get(f"transformer.{layer}.lora_A.weight", nothing[0])
    up = state.get(f"transformer.{layer}.lora_B.weight", nothing[1])
    return up @ down


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_the_change_is_the_weighted_mean_of_both(tmp_path: Path, share: float) -> None:
    one = lora(tmp_path / "one.safetensors", {"a": 2, "only_one": 2}, 1)
    other = lora(tmp_path / "other.safetensors", {"a": 3, "only_other": 3}, 2)
    both = tmp_path / "both.safetensors"
    both.write_bytes(blended([(one, 1 - share), (other, share)]))
    for layer in ("a", "only_one", "only_other"):
        wanted = (1 - share) * change(one, layer) + share * change(other, layer)
        torch.testing.assert_close(change(both, layer), wanted)
    with safe_open(both, "pt") as file:
        said = file.metadata()
    assert said["modelspec.title"] == "one"
    assert said["ss_network_dim"] == said["ss_network_alpha"] == "5"
    assert said["modelspec.hash_sha256"] != "0x0"


def test_the_same_two_give_the_same_bytes(tmp_path: Path) -> None:
    one, other = (lora(tmp_path / f"{seed}.safetensors", {"a": 2}, seed) for seed in (1, 2))
    assert blended([(one, 0.6), (other, 0.4)]) == blended([(one, 0.6), (other, 0.4)])


def test_three_are_weighed_as_well(tmp_path: Path) -> None:
    shares = (0.3, 0.2, 0.5)
    files = [lora(tmp_path / f"{seed}.safetensors", {"a": seed}, seed) for seed in (1, 2, 3)]
    mixed = tmp_path / "mixed.safetensors"
    mixed.write_bytes(blended(list(zip(files, shares, strict=True))))
    wanted = sum((share * change(file, "a") for file, share in zip(files, shares, strict=True)), torch.zeros(8, 6))
    torch.testing.assert_close(change(mixed, "a"), wanted)
