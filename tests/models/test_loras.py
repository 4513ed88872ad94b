"""LoRA files: judged by their header, read in every trainer's spelling, found again by hash."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests import tiny
from zoetrope.errors import UserError
from zoetrope.models.families import FAMILIES
from zoetrope.models.loras import LoraShelf, check_fits, open_lora, read_state

FLUX = FAMILIES["flux"]
BLOCK = "transformer.transformer_blocks.0"


def written(path: Path, tensors: Mapping[str, torch.Tensor], metadata: dict[str, str] | None = None) -> Path:
    save_file(dict(tensors), path, metadata=metadata)
    return path


def pair(layer: str, ins: int = 32, outs: int = 32, rank: int = 2, words: str = "A B") -> dict[str, torch.Tensor]:
    down, up = (f"lora_{word}.weight" for word in words.split())
    return {f"{layer}.{down}": torch.ones(rank, ins), f"{layer}.{up}": torch.ones(outs, rank)}


def refusal(path: Path, kind: str = "dev") -> str:
    with pytest.raises(UserError) as error:
        check_fits(open_lora(path), FLUX, tiny.saved(kind), "mine")
    assert "\n" not in str(error.value)
    return str(error.value)


def state(path: Path, kind: str = "dev") -> dict[str, torch.Tensor]:
    check_fits(open_lora(path), FLUX, tiny.saved(kind), "mine")
    return read_state(open_lora(path), FLUX, tiny.saved(kind))


@pytest.mark.parametrize("kind", ["dev", "schnell"])
def test_one_saved_by_diffusers_fits(kind: str) -> None:
    check_fits(open_lora(tiny.saved_lora(kind)), FLUX, tiny.saved(kind), "mine")


@pytest.mark.parametrize("ending", [".pt", ".bin", ".ckpt"])
def test_other_formats_are_not_opened(tmp_path: Path, ending: str) -> None:
    torch.save({}, tmp_path / f"x{ending}")
    with pytest.raises(UserError, match=r"not a \.safetensors file"):
        open_lora(tmp_path / f"x{ending}")


def test_a_pickle_in_disguise_is_refused(tmp_path: Path) -> None:
    torch.save(pair(f"{BLOCK}.attn.to_q"), tmp_path / "x.safetensors")
    with pytest.raises(UserError, match="not a safetensors file"):
        open_lora(tmp_path / "x.safetensors")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no LoRA file .*gone\.safetensors"):
        open_lora(tmp_path / "gone.safetensors")


@pytest.mark.parametrize(
    "layer", ["unet.down_blocks.0.attentions.0.to_q", "transformer.blocks.0.attn1.to_q", "lora_unet_input_blocks_1"]
)
def test_another_familys_is_refused(tmp_path: Path, layer: str) -> None:
    assert "does not fit mine: flux has no layer" in refusal(written(tmp_path / "x.safetensors", pair(layer)))


def test_one_for_a_larger_model_is_refused() -> None:
    assert "there and" in refusal(tiny.saved_lora("wide"))


def test_what_is_no_lora_is_refused(tmp_path: Path) -> None:
    assert "is not a LoRA: it holds" in refusal(written(tmp_path / "x.safetensors", {"weight": torch.ones(2)}))
    assert "it is empty" in refusal(written(tmp_path / "y.safetensors", {}))


def test_halves_that_do_not_match_are_refused(tmp_path: Path) -> None:
    halves = pair(f"{BLOCK}.attn.to_q")
    halves[f"{BLOCK}.attn.to_q.lora_B.weight"] = torch.ones(32, 3)
    assert "lacks a matching half" in refusal(written(tmp_path / "x.safetensors", halves))


def test_one_for_the_text_encoder_alone_is_refused(tmp_path: Path) -> None:
    layer = "text_encoder.text_model.encoder.layers.0.self_attn.q_proj"
    assert "changes nothing" in refusal(written(tmp_path / "x.safetensors", pair(layer)))


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    halves = pair(f"{BLOCK}.attn.to_q")
    halves[f"{BLOCK}.attn.to_q.lora_A.weight"][0, 0] = float("nan")
    with pytest.raises(UserError, match="not finite"):
        state(written(tmp_path / "x.safetensors", halves))


def test_kohyas_spelling_means_the_same_layer(tmp_path: Path) -> None:
    ours = state(written(tmp_path / "a.safetensors", pair(f"{BLOCK}.attn.to_out.0")))
    kohya = pair("lora_unet_double_blocks_0_img_attn_proj", words="down up")
    theirs = state(written(tmp_path / "b.safetensors", kohya))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_fused_layer_is_split_over_those_it_stands_for(tmp_path: Path) -> None:
    down, up = torch.randn(2, 32), torch.randn(32 * 3 + 128, 2)
    name = "lora_unet_single_blocks_0_linear1"
    tensors = {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.alpha": torch.tensor(1.0)}
    split = state(written(tmp_path / "x.safetensors", tensors))
    single = "transformer.single_transformer_blocks.0"
    layers = [f"{single}.attn.to_q", f"{single}.attn.to_k", f"{single}.attn.to_v", f"{single}.proj_mlp"]
    assert torch.equal(torch.cat([split[f"{layer}.lora_B.weight"] for layer in layers]), up * 0.5)
    assert all(torch.equal(split[f"{layer}.lora_A.weight"], down) for layer in layers)


def test_comfyuis_prefix_is_understood(tmp_path: Path) -> None:
    layer = f"{BLOCK}.attn.to_q".replace("transformer.", "diffusion_model.", 1)
    assert f"{BLOCK}.attn.to_q.lora_A.weight" in state(written(tmp_path / "x.safetensors", pair(layer)))


@pytest.mark.parametrize(
    ("said", "scale"),
    [
        ({}, 1.0),
        ({"transformer.lora_alpha": 1}, 0.5),
        ({"transformer.lora_alpha": 1, "transformer.alpha_pattern": {"attn.to_q": 8}}, 4.0),
        ({"transformer.lora_alpha": 2, "transformer.use_rslora": True}, 2**0.5),
    ],
)
def test_alpha_from_the_header_is_folded_in(tmp_path: Path, said: dict[str, object], scale: float) -> None:
    metadata = {"lora_adapter_metadata": json.dumps(said)}
    read = state(written(tmp_path / "x.safetensors", pair(f"{BLOCK}.attn.to_q"), metadata))
    torch.testing.assert_close(read[f"{BLOCK}.attn.to_q.lora_B.weight"], torch.full((32, 2), scale))


@pytest.mark.parametrize(
    "said",
    [
        "{",
        "[1]",
        '{"transformer.lora_alpha": "x"}',
        '{"transformer.alpha_pattern": 3}',
        '{"transformer.lora_alpha": NaN}',
        '{"transformer.lora_alpha": 1e999}',
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_a_header_that_says_alpha_unreadably_is_refused(tmp_path: Path, said: str) -> None:
    path = written(tmp_path / "x.safetensors", pair(f"{BLOCK}.attn.to_q"), {"lora_adapter_metadata": said})
    with pytest.raises(UserError, match="alpha"):
        state(path)


def test_the_shelf_finds_what_was_used_before(tmp_path: Path) -> None:
    lora = open_lora(tiny.saved_lora("dev"))
    shelf = LoraShelf(tmp_path)
    shelf.register(lora)
    assert LoraShelf(tmp_path).find(lora.sha256).path == lora.path.resolve()


def test_the_shelf_finds_what_lies_in_its_folder_under_any_name(tmp_path: Path) -> None:
    (tmp_path / "loras" / "deep").mkdir(parents=True)
    copy = tmp_path / "loras" / "deep" / "other.safetensors"
    copy.write_bytes(tiny.saved_lora("dev").read_bytes())
    assert LoraShelf(tmp_path).find(open_lora(copy).sha256).path == copy


def test_a_file_that_changed_since_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(tiny.saved_lora("dev").read_bytes())
    lora = open_lora(path)
    LoraShelf(tmp_path).register(lora)
    save_file({**load_file(path), "more": torch.ones(1)}, path)
    with pytest.raises(UserError, match=f"{lora.sha256} is missing"):
        LoraShelf(tmp_path).find(lora.sha256)


def test_a_broken_index_is_named_and_kept(tmp_path: Path) -> None:
    (tmp_path / "loras.json").write_text("{")
    with pytest.raises(UserError, match=r"loras\.json is not readable"):
        LoraShelf(tmp_path).find("0" * 64)
    assert (tmp_path / "loras.json").read_text() == "{"
