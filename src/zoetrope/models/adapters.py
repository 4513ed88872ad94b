"""LoRAs on a warm pipeline: swapped by name, the base never loaded again.

On a small base they are added to its weights while they are drawn with, as its layers take less time than the calls of
a LoRA beside them. Its own weights are remembered, and come back byte for byte.
"""

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from zoetrope.errors import UserError
from zoetrope.models.family import Pipeline
from zoetrope.models.loading import quiet
from zoetrope.models.memory import small

if TYPE_CHECKING:
    import torch

State: TypeAlias = "dict[str, torch.Tensor]"

KEEP = 8


class Adapters:
    """What LoRAs a pipeline holds, by hash. The longest unused leave when there are more than `keep`."""

    def __init__(self, pipeline: Pipeline, keep: int = KEEP) -> None:
        self._pipeline = pipeline
        self._keep = keep
        self._held: OrderedDict[str, None] = OrderedDict()
        # What is drawn with now, in its order; None after a change that did not come to its end.
        self._active: list[tuple[str, float]] | None = []
        # Layers that a LoRA was added to, and their own weights.
        self._own: dict[Any, torch.Tensor] = {}

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._held

    def use(self, weights: Mapping[str, float], read: "Callable[[str], State]") -> None:
        """Draw with these LoRAs and no others; `read` gives the weights of one that is not held yet.

        A weight of 0 is no LoRA, so the base's own bytes come back.
        """
        active = {sha256: weight for sha256, weight in weights.items() if weight != 0}
        for sha256 in active.keys() & self._held.keys():
            self._held.move_to_end(sha256)
        if list(active.items()) == self._active:
            return
        self._active = None
        self._part()
        with quiet():
            for sha256 in active:
                if sha256 not in self._held:
                    self._load(sha256, read(sha256))
                self._held.move_to_end(sha256)
            self._drop_surplus(len(active))
            if active:
                self._pipeline.enable_lora()
                self._pipeline.set_adapters([_name(sha256) for sha256 in active], list(active.values()))
                self._merge()
            elif self._held:
                self._pipeline.disable_lora()
        self._active = list(active.items())

    def _merge(self) -> None:
        """Add what is active to a small base's weights."""
        if not small(self._pipeline.transformer):
            return
        for layer in _lora_layers(self._pipeline.transformer):
            weight = layer.get_base_layer().weight
            self._own[layer] = weight.detach().clone()
            layer.merge()

    def _part(self) -> None:
        """The base's own weights; subtracting would leave it a little changed."""
        for layer, weight in self._own.items():
            layer.get_base_layer().weight.data = weight
            layer.merged_adapters.clear()
        self._own.clear()

    def _load(self, sha256: str, state: "State") -> None:
        dtype = self._pipeline.transformer.dtype
        try:
            with warnings.catch_warnings():
                # peft warns of a second adapter on one model, which is the very thing wanted here.
                warnings.simplefilter("ignore")
                self._pipeline.load_lora_weights(
                    {name: tensor.to(dtype) for name, tensor in state.items()}, adapter_name=_name(sha256)
                )
        except Exception as error:
            # Half of it may be in place already: the warm base must not keep that half.
            self._pipeline.delete_adapters(_name(sha256))
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
            raise UserError(f"The LoRA {sha256[:12]} cannot be applied: {reason}.") from error
        self._held[sha256] = None

    def _drop_surplus(self, active: int) -> None:
        while len(self._held) > max(self._keep, active):
            sha256, _ = self._held.popitem(last=False)
            self._pipeline.delete_adapters(_name(sha256))


def _lora_layers(network: "torch.nn.Module") -> Iterator[Any]:
    """Those whose base is a plain matrix that is there: neither quantized nor elsewhere until it is needed."""
    import torch
    from peft.tuners.lora import Linear

    for layer in network.modules():
        if isinstance(layer, Linear):
            weight = layer.get_base_layer().weight.data
            if type(weight) is torch.Tensor and weight.device.type != "meta":
                yield layer


def _name(sha256: str) -> str:
    return f"lora_{sha256[:32]}"
