"""Memory plans: how a model's weights are held on the device at hand."""

import importlib.util
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zoetrope.errors import UserError

if TYPE_CHECKING:
    from torch import nn

Kind = Literal["cpu", "cuda", "mps"]
Dtype = Literal["float32", "bfloat16"]
Quantize = Literal["none", "fp8", "int8", "nf4"]
Offload = Literal["none", "model", "sequential"]

QUANTIZE: tuple[Quantize, ...] = ("none", "fp8", "int8", "nf4")
OFFLOAD: tuple[Offload, ...] = ("none", "model", "sequential")
GB = 10**9

# The share of 16-bit weights that stays; scales and the parts left alone are in it.
_KEPT: Mapping[Quantize, float] = {"none": 1.0, "fp8": 0.53, "int8": 0.53, "nf4": 0.3}
_NEEDS: Mapping[Quantize, str] = {"fp8": "torchao", "int8": "bitsandbytes", "nf4": "bitsandbytes"}
# Room for what is computed along the way: activations, the decoder, the allocator's slack.
_WORKING = 2 * GB
_SMALL = 1 * GB
_FEW_WEIGHTS = 10**8
_BF16_INSTRUCTIONS = ("amx_bf16", "avx512_bf16", "bf16", "sve_bf16")


@dataclass(frozen=True)
class DeviceInfo:
    """A device as far as plans care. Memory in bytes; `fp8` says whether it can hold such numbers."""

    kind: Kind
    total_bytes: int
    free_bytes: int
    fp8: bool = False


@dataclass(frozen=True)
class WeightSizes:
    """A model's weights in bytes at 16 bits: all of them, and the largest component's."""

    total: int
    largest: int

    @classmethod
    def of(cls, parameters: Mapping[str, int]) -> "WeightSizes":
        counts = list(parameters.values())
        return cls(total=2 * sum(counts), largest=2 * max(counts, default=0))


@dataclass(frozen=True)
class Wish:
    """What a person decided for a model; None leaves it to the plan."""

    quantize: Quantize | None = None
    offload: Offload | None = None


@dataclass(frozen=True)
class MemoryPlan:
    """How weights are held. Equal plans hold them equally, so a plan is part of a warm model's key."""

    device: Kind
    dtype: Dtype
    quantize: Quantize = "none"
    offload: Offload = "none"
    vae_tiling: bool = False

    def bytes_for(self, weights: WeightSizes) -> int:
        """What the weights take on the device once loaded."""
        held = weights.total if self.offload == "none" else weights.largest
        return round(held * _KEPT[self.quantize]) * (2 if self.dtype == "float32" else 1)


def plan_for(
    weights: WeightSizes, device: DeviceInfo, wish: Wish | None = None, installed: frozenset[str] = frozenset()
) -> MemoryPlan:
    """The roomiest plan that fits.

    What changes a picture's bytes (number format, quantization, tiling) follows from the device's total memory,
    which does not move; only offloading, which changes no byte, looks at what is free now.
    """
    wish = wish or Wish()
    if device.kind != "cuda":
        return _plan_shared(weights, device, wish)
    _check_installed(wish.quantize, installed)
    quantize = wish.quantize or _quantize_for(weights, device, installed)
    tight = quantize != "none" or not _fits(weights.total, quantize, device.total_bytes - 2 * _WORKING)
    offload = wish.offload or _offload_for(weights, quantize, device.free_bytes)
    return MemoryPlan("cuda", "bfloat16", quantize, offload, vae_tiling=tight)


def _check_installed(quantize: Quantize | None, installed: frozenset[str]) -> None:
    needed = _NEEDS.get(quantize or "none")
    if needed and needed not in installed:
        raise UserError(f"{quantize} weights need {needed}: pip install 'zoetrope[gpu]', or choose --quantize none.")


def _plan_shared(weights: WeightSizes, device: DeviceInfo, wish: Wish) -> MemoryPlan:
    """CPU and MPS hold weights in the machine's own memory, where moving them about gains nothing."""
    if wish.quantize not in (None, "none") or wish.offload not in (None, "none"):
        raise UserError(f"Quantized or offloaded weights need a CUDA device, and this one is {device.kind}.")
    room = round(device.total_bytes * 0.85) - min(_WORKING, 2 * weights.total)
    if weights.total > room:
        needed, there = weights.total / GB, device.total_bytes / GB
        raise UserError(f"The model needs {needed:.1f} GB for its weights; this machine has {there:.1f} GB in all.")
    whole = weights.total <= _SMALL or (device.kind == "cpu" and 2 * weights.total <= room)
    tiling = not whole and weights.total > room // 2
    return MemoryPlan(device.kind, "float32" if whole else "bfloat16", vae_tiling=tiling)


def _quantize_for(weights: WeightSizes, device: DeviceInfo, installed: frozenset[str]) -> Quantize:
    room = device.total_bytes - _WORKING
    for quantize in QUANTIZE:
        there = quantize == "none" or _NEEDS[quantize] in installed
        if there and (quantize != "fp8" or device.fp8) and _fits(weights.largest, quantize, room):
            return quantize
    return "none"


def _offload_for(weights: WeightSizes, quantize: Quantize, free_bytes: int) -> Offload:
    room = free_bytes - min(_WORKING, 2 * weights.total)
    if _fits(weights.total, quantize, room):
        return "none"
    return "model" if _fits(weights.largest, quantize, room) else "sequential"


def _fits(weights_bytes: int, quantize: Quantize, room: int) -> bool:
    return weights_bytes * _KEPT[quantize] <= room


def quantizers() -> frozenset[str]:
    """Which of the packages of the gpu extra can be imported."""
    names = set(_NEEDS.values())
    return frozenset(name for name in names if importlib.util.find_spec(name))


def detect() -> DeviceInfo:
    """The device to draw on: CUDA, else Apple's, else the processor."""
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        return DeviceInfo("cuda", total, free, fp8=torch.cuda.get_device_capability() >= (8, 9))
    total, free = _machine_memory()
    if torch.backends.mps.is_available():
        return DeviceInfo("mps", total, free)
    return DeviceInfo("cpu", total, free)


def multiplies_bf16(kind: Kind) -> bool:
    """Whether the device has instructions for products in bfloat16; a processor without them is quicker in float32."""
    if kind != "cpu":
        return True
    import torch

    # torch before 2.10 does not say.
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in _BF16_INSTRUCTIONS)


def small(network: "nn.Module") -> bool:
    """Whether calling a network's layers takes longer than their sums, so that fewer calls are what saves time."""
    return sum(weight.numel() for weight in network.parameters()) < _FEW_WEIGHTS


def _machine_memory() -> tuple[int, int]:
    import psutil

    memory = psutil.virtual_memory()
    return int(memory.total), int(memory.available)


def peak_memory(device: Kind) -> int:
    """The most memory held so far: the device's for CUDA, the process's otherwise."""
    if device == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated())
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage's figure is no use on Linux: a child begins with its parent's.
        lines = status.read_text(encoding="ascii").splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))
    if os.name == "nt":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
