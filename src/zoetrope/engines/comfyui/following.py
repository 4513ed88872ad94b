"""What a server tells of one prompt while it is drawn: how far it is, how it ended, and how it looks on the way."""

import json
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from zoetrope.engines.comfyui.client import Saved, called, one_line
from zoetrope.engines.comfyui.workflow import Graph

FEATURES = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
"""What a client says first, so that a preview comes with the name of its prompt."""
_PREVIEW, _NAMED_PREVIEW = 1, 4
_LONGEST = 300
# Told of a node that waits for others: nothing has ended.
_WAITING = "ExecutionBlocked"
_ENDS = ("execution_success", "execution_error", "execution_interrupted")


class End(StrEnum):
    """How a prompt ended."""

    success = "success"
    error = "error"
    interrupted = "interrupted"


@dataclass(frozen=True)
class Verdict:
    """What became of a prompt: the pictures it saved, or what a server said went wrong."""

    end: End
    saved: tuple[Saved, ...] = ()
    error: str = ""


@dataclass
class Following:
    """How far one prompt is, by messages that may come late, twice, or not at all."""

    prompt_id: str
    graph: Graph
    ended: bool = False
    preview: bytes | None = None
    _cached: set[str] = field(default_factory=set)
    _shares: dict[str, float] = field(default_factory=dict)

    def hear(self, message: object) -> bool:
        """Take a message; whether it says that something moved."""
        kind, said = _parts(message)
        if said.get("prompt_id") != self.prompt_id:
            return False
        if kind == "execution_cached":
            self._cached |= {str(node) for node in _list(said.get("nodes"))} & self.graph.keys()
        elif kind == "progress_state":
            self._shares |= {name: share for name, share in _shares(said.get("nodes")) if name in self.graph}
        elif kind == "execution_error" and said.get("exception_type") == _WAITING:
            return False
        elif kind in _ENDS or (kind == "executing" and said.get("node") is None):
            self.ended = True
        return True

    def see(self, frame: bytes) -> bool:
        """Take a binary message; whether it is a picture on its way."""
        picture = _picture(frame, self.prompt_id)
        if picture is not None:
            self.preview = picture
        return picture is not None

    @property
    def share(self) -> float:
        """From 0 to 1; several nodes may be at work."""
        begun = sum(share for name, share in self._shares.items() if name not in self._cached)
        return min(1.0, (len(self._cached) + begun) / max(1, len(self.graph)))


def _parts(message: object) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(message, Mapping) or not isinstance(message.get("data"), Mapping):
        return "", {}
    return str(message.get("type")), message["data"]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _shares(nodes: object) -> list[tuple[str, float]]:
    found = []
    for name, node in nodes.items() if isinstance(nodes, Mapping) else ():
        value, most = (node.get("value"), node.get("max")) if isinstance(node, Mapping) else (None, None)
        if isinstance(value, int | float) and isinstance(most, int | float) and most > 0:
            with suppress(ArithmeticError):
                found.append((str(name), min(1.0, max(0.0, value / most))))
    return found


def _picture(frame: bytes, prompt_id: str) -> bytes | None:
    """The encoded picture in a frame: after its format, or after words that say whose it is."""
    if len(frame) < 8:
        return None
    event, second = struct.unpack_from(">II", frame)
    if event == _PREVIEW:
        return frame[8:] or None
    if event != _NAMED_PREVIEW:
        return None
    try:
        about = json.loads(frame[8 : 8 + second])
    except (ValueError, RecursionError):
        return None
    mine = isinstance(about, Mapping) and about.get("prompt_id") == prompt_id
    return (frame[8 + second :] or None) if mine else None


def verdict(entry: Mapping[str, Any], graph: Graph) -> Verdict:
    """What a server's history says of a prompt that has left its queue."""
    status = entry.get("status")
    told = [_told(each) for each in _list(status.get("messages"))] if isinstance(status, Mapping) else []
    kinds = dict(told)
    if "execution_interrupted" in kinds:
        return Verdict(End.interrupted, error="Somebody stopped it in ComfyUI.")
    if "execution_error" in kinds:
        return Verdict(End.error, error=_fault(kinds["execution_error"], graph))
    if isinstance(status, Mapping) and status.get("status_str") == "error":
        return Verdict(End.error, error="ComfyUI failed and does not say why.")
    return Verdict(End.success, tuple(_saved(entry.get("outputs"), graph)))


def _told(row: object) -> tuple[str, Mapping[str, Any]]:
    if isinstance(row, list) and len(row) == 2 and isinstance(row[1], Mapping):
        return str(row[0]), row[1]
    return "", {}


def _fault(said: Mapping[str, Any], graph: Graph) -> str:
    what = said.get("exception_message") or "it does not say why"
    return one_line(f"ComfyUI failed at node {called(graph, str(said.get('node_id')))}: {what}")[:_LONGEST]


def _saved(outputs: object, graph: Graph) -> list[Saved]:
    """What nodes saved for good, in the order of the workflow; previews are no output."""
    found = []
    for name in graph:
        output = outputs.get(name) if isinstance(outputs, Mapping) else None
        for row in _list(output.get("images")) if isinstance(output, Mapping) else ():
            if isinstance(row, Mapping) and row.get("type") == "output":
                found.append(Saved(str(row.get("filename")), str(row.get("subfolder") or ""), "output"))
    return found
