"""A ComfyUI workflow in its API format: read within limits, checked, and with a persona's LoRAs put into it."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import count
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from zoetrope.errors import UserError

Graph = dict[str, dict[str, Any]]
"""Nodes by their names, each with `class_type` and `inputs`, as `POST /prompt` takes them."""

ENGINE = "comfyui"
SEEDS = ("seed", "noise_seed")
MOST_BYTES = 1_000_000
MOST_NODES = 500
_LONGEST_NAME = 100
# Deeper than a node's inputs ever are.
_DEEPEST = 8
# ComfyUI's seeds have 64 bits.
_LARGEST = 2**64
# Inputs that a server takes for a place on its disk.
_PLACES = re.compile("name|path|prefix|image|file|folder|dir", re.IGNORECASE)
# What gives a model or its text encoder where a server's own word for it cannot be had: which output is which.
_SOURCES: Mapping[str, Mapping[str, int]] = {
    "CheckpointLoaderSimple": {"MODEL": 0, "CLIP": 1},
    "CheckpointLoader": {"MODEL": 0, "CLIP": 1},
    "UNETLoader": {"MODEL": 0},
    "UnetLoaderGGUF": {"MODEL": 0},
    "CLIPLoader": {"CLIP": 0},
    "DualCLIPLoader": {"CLIP": 0},
    "TripleCLIPLoader": {"CLIP": 0},
}
_MODEL, _CLIP = "MODEL", "CLIP"


def read(text: str) -> Graph:
    """What somebody pasted or uploaded, as a graph; a sentence where it is none."""
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise UserError(f"This workflow is larger than {MOST_BYTES:,} bytes; nothing was kept.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError("This workflow is not JSON: save it in ComfyUI with Export (API).") from error
    return checked(found)


def checked(found: object) -> Graph:
    """A graph that may be sent to a server; a sentence where it may not."""
    if not isinstance(found, dict) or not found:
        raise UserError("This workflow has no nodes: save it in ComfyUI with Export (API).")
    if isinstance(found.get("nodes"), list):
        raise UserError("This is ComfyUI's own file of a workflow: save it there with Export (API) instead.")
    if len(found) > MOST_NODES:
        raise UserError(f"This workflow has {len(found)} nodes; {MOST_NODES} are the most.")
    graph: Graph = {}
    for name, node in found.items():
        graph[name] = _node(name, node)
    _check_links(graph)
    # What a run's words were put into may have grown by them.
    if len(json.dumps(graph)) > MOST_BYTES:
        raise UserError(f"This workflow is larger than {MOST_BYTES:,} bytes with all that is filled in.")
    return graph


def _node(name: str, node: object) -> dict[str, Any]:
    if not isinstance(node, dict) or not isinstance(node.get("class_type"), str):
        raise UserError(f"Node {name!a:.40} of this workflow does not say its class: save it with Export (API).")
    _check_sayable([name, node])
    kind, inputs = node["class_type"], node.get("inputs")
    if not isinstance(inputs, dict) or len(kind) > _LONGEST_NAME or len(name) > _LONGEST_NAME:
        raise UserError(f"Node {name!a:.40} of this workflow cannot be read.")
    for field, value in inputs.items():
        for text in _texts(value):
            _check_place(name, field, text)
    title = node.get("_meta", {}).get("title") if isinstance(node.get("_meta"), dict) else None
    about = {"_meta": {"title": title[:_LONGEST_NAME]}} if isinstance(title, str) else {}
    return {"class_type": kind, "inputs": inputs, **about}


def _check_sayable(value: object, depth: int = 0) -> None:
    """What no database, server or recipe could hold is refused here, before anything is kept."""
    if depth > _DEEPEST:
        raise UserError("This workflow is nested too deeply; nothing was kept.")
    if isinstance(value, Mapping):
        for key, each in value.items():
            _check_sayable(key, depth + 1)
            _check_sayable(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check_sayable(each, depth + 1)
    elif isinstance(value, str) and not sayable(value):
        raise UserError(f"This workflow holds a text that cannot be kept: {value!a:.40}.")
    elif isinstance(value, int | float) and not abs(value) <= _LARGEST:
        raise UserError("This workflow holds a number that is too large, or none.")


def sayable(text: str) -> bool:
    """Whether a text is whole letters, which alone can be written down and sent."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    if depth > _DEEPEST:
        raise UserError("This workflow is nested too deeply; nothing was kept.")
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(each, depth + 1)


def _check_place(node: str, field: str, text: str) -> None:
    """A file that a server reads or writes lies in its own folders."""
    if not _PLACES.search(field):
        return
    parts = PurePosixPath(text.replace("\\", "/")).parts
    if ".." in parts or text.startswith(("/", "~", "\\")) or PureWindowsPath(text).anchor:
        raise UserError(f"Node {node!a:.40} of this workflow leaves ComfyUI's folders: {field!a:.40} is {text!a:.60}.")


def links(node: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Of a node's inputs those that come from others: the input, the node it comes from, which of its outputs."""
    for field, value in node["inputs"].items():
        if _is_link(value):
            yield field, value[0], value[1]


def _is_link(value: Any) -> bool:
    named = isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)
    return named and _is_number(value[1]) and value[1] >= 0


def _check_links(graph: Graph) -> None:
    before: dict[str, set[str]] = {}
    for name, node in graph.items():
        before[name] = {source for _, source, _ in links(node)}
        if strangers := before[name] - graph.keys():
            raise UserError(f"Node {name!a:.40} takes from node {min(strangers)!a:.40}, which is not there.")
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        raise UserError("Nodes of this workflow wait for each other in a circle.") from error


def picture_name(sha256: str) -> str:
    """What a workflow calls a picture that is sent along, until a server has named it."""
    return f"zoetrope/{sha256}.png"


def lora_name(sha256: str) -> str:
    """What a workflow calls a LoRA, until it is known what a server calls it."""
    return f"zoetrope/{sha256}.safetensors"


def changed(graph: Graph, change: Callable[[str], Any]) -> Graph:
    """The same workflow with something else for each text in it; what links nodes stays."""
    return _with_inputs(graph, lambda value: value if _is_link(value) else _changed(value, change))


def _with_inputs(graph: Graph, change: Callable[[Any], Any]) -> Graph:
    return {
        number: node | {"inputs": {field: change(value) for field, value in node["inputs"].items()}}
        for number, node in graph.items()
    }


def _changed(value: Any, change: Callable[[str], Any]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_changed(each, change) for each in value]
    if isinstance(value, dict):
        return {key: _changed(each, change) for key, each in value.items()}
    return value


def number_in(graph: Graph, names: Sequence[str], otherwise: float) -> float:
    """The first number that a node takes under one of these names."""
    for node in graph.values():
        for name in names:
            value = node["inputs"].get(name)
            if _is_number(value) or isinstance(value, float):
                return value  # type: ignore[no-any-return]
    return otherwise


def reseeded(graph: Graph, seed: int) -> Graph:
    """The same workflow with another seed wherever it has one."""
    grown = deepcopy(graph)
    for node in grown.values():
        node["inputs"] |= {name: seed for name in SEEDS if _is_number(node["inputs"].get(name))}
    return grown


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def kinds(graph: Graph) -> list[str]:
    """The classes of its nodes, each once."""
    return sorted({node["class_type"] for node in graph.values()})


def texts(graph: Graph) -> list[str]:
    """Everything written in it: where variables may stand."""
    return [text for node in graph.values() for text in _texts(node["inputs"])]


@dataclass(frozen=True)
class Loader:
    """A LoRA as a server's loader takes it."""

    name: str
    weight: float


def with_loras(graph: Graph, loras: Sequence[Loader], outputs: Mapping[str, Sequence[str]] | None = None) -> Graph:
    """The same workflow with LoRAs between each model and whatever takes it; `outputs` is what a class gives."""
    if not loras:
        return graph
    grown = deepcopy(graph)
    known = outputs or {}
    models = list(_giving(graph, _MODEL, known))
    if not models:
        raise UserError("No node of this workflow loads a model, so the persona's LoRAs have no place in it.")
    clips = list(_giving(graph, _CLIP, known))
    # Which text encoder belongs to which of several models, nobody can tell.
    clip = clips[0] if len(clips) == 1 and len(models) == 1 else None
    for model in models:
        _put_behind(grown, model, clip, loras)
    return grown


def _giving(graph: Graph, kind: str, outputs: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, int]]:
    """Where a model, or its text encoder, comes into a workflow: a node that gives one and takes none."""
    for name, node in graph.items():
        given = outputs.get(node["class_type"])
        place = given.index(kind) if given and kind in given else _SOURCES.get(node["class_type"], {}).get(kind)
        takes = {field.lower() for field, _, _ in links(node)}
        if place is not None and kind.lower() not in takes and not _takes(graph, node, kind, outputs):
            yield name, place


def _takes(graph: Graph, node: Mapping[str, Any], kind: str, outputs: Mapping[str, Sequence[str]]) -> bool:
    for _, source, place in links(node):
        given = outputs.get(graph[source]["class_type"], ())
        if place < len(given) and given[place] == kind:
            return True
    return False


def _put_behind(grown: Graph, model: tuple[str, int], clip: tuple[str, int] | None, loras: Sequence[Loader]) -> None:
    takers = [(name, field) for name, node in grown.items() for field, *source in links(node) if tuple(source) == model]
    readers = [
        (name, field)
        for name, node in grown.items()
        for field, *source in links(node)
        if clip and tuple(source) == clip
    ]
    last, last_clip = list(model), list(clip) if clip else None
    for lora in loras:
        name = _free(grown)
        inputs: dict[str, Any] = {"model": last, "lora_name": lora.name, "strength_model": lora.weight}
        if last_clip is None:
            grown[name] = {"class_type": "LoraLoaderModelOnly", "inputs": inputs}
        else:
            inputs |= {"clip": last_clip, "strength_clip": lora.weight}
            grown[name] = {"class_type": "LoraLoader", "inputs": inputs}
            last_clip = [name, 1]
        last = [name, 0]
    for name, field in takers:
        grown[name]["inputs"][field] = last
    for name, field in readers:
        grown[name]["inputs"][field] = last_clip


def _free(graph: Iterable[str]) -> str:
    """A number that no node has."""
    taken = set(graph)
    highest = max((int(name) for name in taken if name.isdecimal() and len(name) < 10), default=0)
    return next(str(number) for number in count(highest + 1) if str(number) not in taken)
