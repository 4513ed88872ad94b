"""Workflows from strangers: refused in one sentence, or as they were meant; LoRAs stand between model and sampler."""

import json
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoetrope.engines.comfyui.workflow import (
    MOST_BYTES,
    MOST_NODES,
    SEEDS,
    Loader,
    changed,
    checked,
    number_in,
    read,
    reseeded,
    with_loras,
)
from zoetrope.errors import UserError

GRAPH: dict[str, Any] = {
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "flux.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "{{prompt}}", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "../ is no path here", "clip": ["4", 1]}},
    "3": {
        "class_type": "KSampler",
        "inputs": {"seed": 1, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]},
    },
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ada", "images": ["8", 0]}},
}


def with_inputs(node: str, **inputs: Any) -> dict[str, Any]:
    graph = deepcopy(GRAPH)
    graph[node]["inputs"] |= inputs
    return graph


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


HOSTILE = {
    "nothing": ({}, "no nodes"),
    "a list": ([], "no nodes"),
    "ComfyUI's own file": ({"nodes": [], "links": [], "version": 0.4}, r"Export \(API\)"),
    "huge": ({str(n): GRAPH["5"] for n in range(MOST_NODES + 1)}, "are the most"),
    "a node without a class": ({"1": {"inputs": {}}}, "does not say its class"),
    "a node without inputs": ({"1": {"class_type": "X"}}, "cannot be read"),
    "a class as long as a book": ({"1": {"class_type": "X" * 1000, "inputs": {}}}, "cannot be read"),
    "a node that is none": ({"1": "<script>"}, "does not say its class"),
    "a link to nowhere": (with_inputs("8", samples=["99", 0]), "takes from node '99', which is not there"),
    "a circle": (with_inputs("5", width=["9", 0]), "in a circle"),
    "a node that waits for itself": (with_inputs("5", width=["5", 0]), "in a circle"),
    "a way up": (with_inputs("9", filename_prefix="../../etc/cron.d/x"), "leaves ComfyUI's folders"),
    "another way up": (with_inputs("9", filename_prefix="a\\..\\..\\x"), "leaves ComfyUI's folders"),
    "from the root": (with_inputs("4", ckpt_name="/etc/passwd"), "leaves ComfyUI's folders"),
    "from home": (with_inputs("4", ckpt_name="~/.ssh/id"), "leaves ComfyUI's folders"),
    "a drive": (with_inputs("4", ckpt_name="C:\\x"), "leaves ComfyUI's folders"),
    "a share": (with_inputs("4", ckpt_name="\\\\host\\x"), "leaves ComfyUI's folders"),
    "a number like a book": (with_inputs("3", seed=10**400), "too large, or none"),
    "no number": (with_inputs("3", cfg=float("nan")), "too large, or none"),
    "endless": (with_inputs("3", cfg=float("inf")), "too large, or none"),
    "half a letter": (with_inputs("6", text="\ud800"), "cannot be kept"),
    "half a letter for a name": (GRAPH | {"\ud800": GRAPH["5"]}, "cannot be kept"),
    "a zero byte": (with_inputs("6", text="a\0b"), "cannot be kept"),
    "deep": (with_inputs("5", width=deep(30)), "too deeply"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_workflow_is_refused_in_a_sentence(what: str) -> None:
    graph, said = HOSTILE[what]
    with pytest.raises(UserError, match=said) as caught:
        read(json.dumps(graph))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "null", '"x"', "1e999", " " * (MOST_BYTES + 1)])
def test_what_is_no_workflow_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UserError):
        read(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)

NODES = st.fixed_dictionaries({"class_type": JSON, "inputs": JSON})


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(max_size=3), JSON | NODES, max_size=4))
def test_anything_else_is_accepted_or_refused(graph: Any) -> None:
    with suppress(UserError):
        assert checked(graph).keys() == graph.keys()


def test_a_workflow_is_kept_as_it_is() -> None:
    assert read(json.dumps(GRAPH)) == GRAPH


def test_loras_stand_between_the_model_and_whoever_takes_it() -> None:
    grown = with_loras(GRAPH, [Loader("a.safetensors", 0.8), Loader("b.safetensors", 0.5)])
    assert grown["10"] == {
        "class_type": "LoraLoader",
        "inputs": {
            "model": ["4", 0],
            "clip": ["4", 1],
            "lora_name": "a.safetensors",
            "strength_model": 0.8,
            "strength_clip": 0.8,
        },
    }
    assert grown["11"]["inputs"]["model"] == ["10", 0]
    assert grown["11"]["inputs"]["clip"] == ["10", 1]
    assert grown["3"]["inputs"]["model"] == ["11", 0]
    assert grown["6"]["inputs"]["clip"] == grown["7"]["inputs"]["clip"] == ["11", 1]
    # What takes something else of the loader takes it still.
    assert grown["8"]["inputs"]["vae"] == ["4", 2]
    assert GRAPH["3"]["inputs"]["model"] == ["4", 0]
    assert checked(grown)


def test_a_model_alone_gets_a_loader_for_models() -> None:
    graph = deepcopy(GRAPH)
    graph["4"] = {"class_type": "UNETLoader", "inputs": {"unet_name": "flux.safetensors"}}
    graph["12"] = {"class_type": "DualCLIPLoader", "inputs": {}}
    for node in ("6", "7"):
        graph[node]["inputs"]["clip"] = ["12", 0]
    grown = with_loras(graph, [Loader("a.safetensors", 1.0)])
    assert grown["13"]["class_type"] == "LoraLoader"
    del graph["12"], graph["6"]["inputs"]["clip"], graph["7"]["inputs"]["clip"]
    grown = with_loras(graph, [Loader("a.safetensors", 1.0)])
    assert grown["10"]["class_type"] == "LoraLoaderModelOnly"


def test_a_loader_that_only_its_server_knows_is_found_by_what_it_gives() -> None:
    graph = with_inputs("3")
    graph["4"] = {"class_type": "SomebodysLoader", "inputs": {}}
    outputs = {"SomebodysLoader": ["VAE", "CLIP", "MODEL"], "KSampler": ["LATENT"]}
    graph["3"]["inputs"]["model"] = ["4", 2]
    assert with_loras(graph, [Loader("a.safetensors", 1.0)], outputs)["3"]["inputs"]["model"] == ["10", 0]
    with pytest.raises(UserError, match="No node of this workflow loads a model"):
        with_loras(graph, [Loader("a.safetensors", 1.0)])


def test_new_nodes_take_nobodys_name() -> None:
    graph = GRAPH | {"999999999": GRAPH["5"], "1000000000": GRAPH["5"]}
    grown = with_loras(graph, [Loader("a.safetensors", 1.0), Loader("b.safetensors", 1.0)])
    assert len(grown) == len(graph) + 2
    assert checked(grown)


def test_a_whole_number_stays_whole() -> None:
    assert number_in(with_inputs("3", seed=12345678901234567), SEEDS, 0) == 12345678901234567


def test_texts_change_and_links_do_not() -> None:
    told = changed(GRAPH, lambda text: {"4": "no link", "flux.safetensors": "x/flux.safetensors"}.get(text, text))
    assert told["4"]["inputs"] == {"ckpt_name": "x/flux.safetensors"}
    assert told["3"]["inputs"]["model"] == ["4", 0]


def test_a_workflow_can_be_drawn_with_another_seed() -> None:
    assert reseeded(GRAPH, 7)["3"]["inputs"]["seed"] == 7
    assert number_in(reseeded(GRAPH, 7), SEEDS, 0) == 7
    linked = with_inputs("3", seed=["5", 0])
    assert reseeded(linked, 7) == linked
