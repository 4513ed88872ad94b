"""What else is on the device that a training is about to use: readings, and what follows from them."""

import os
import shutil
import subprocess
from dataclasses import dataclass

from zoetrope.models.memory import GB, Kind, MemoryPlan, detect, multiplies_bf16
from zoetrope.training.settings import Precision, Settings

# What a CUDA context takes without holding anything; less than this is nobody.
_NOBODY = 6 * GB // 10
# Of the cores, busy with other things: from here on it is worth a word.
_BUSY = 0.5
_ASK = ("nvidia-smi", "--query-compute-apps=pid,process_name,used_memory", "--format=csv,noheader")


@dataclass(frozen=True)
class Reading:
    """One look at a device. Bytes; `held` is our own share, `load` the cores that are busy with anything."""

    kind: Kind
    total: int
    free: int
    held: int = 0
    others: tuple[str, ...] = ()
    load: float = 0.0
    cores: int = 1


def read_device() -> Reading:
    """The device as it is now."""
    import psutil

    found = detect()
    if found.kind == "cuda":
        import torch

        held = torch.cuda.memory_reserved()
        return Reading("cuda", found.total_bytes, found.free_bytes, held, processes(_compute_apps(), os.getpid()))
    load = psutil.getloadavg()[0]
    return Reading(found.kind, found.total_bytes, found.free_bytes, load=load, cores=os.cpu_count() or 1)


def halves(settings: Settings, plan: MemoryPlan) -> bool:
    """Whether passes calculate in bfloat16: as was asked, or as the weights are held, or as is quickest."""
    if settings.precision is not None:
        return settings.precision is Precision.bf16
    return plan.dtype == "bfloat16" or multiplies_bf16(plan.device)


def _compute_apps() -> str:
    if shutil.which(_ASK[0]) is None:
        return ""
    try:
        return subprocess.run(_ASK, capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def processes(told: str, own: int) -> tuple[str, ...]:
    """Who holds memory, from the lines `pid, name, memory` of nvidia-smi."""
    rows = [[word.strip() for word in line.split(",")] for line in told.splitlines()]
    others = [row for row in rows if len(row) == 3 and row[0] != str(own)]
    return tuple(f"{os.path.basename(name)} ({pid}, {memory})" for pid, name, memory in others)


def device_remarks(reading: Reading, needed: int) -> list[str]:
    """What a person should know before a training that needs so many bytes begins here."""
    if needed > reading.total:
        # Who else is there does not matter any more.
        return [
            f"WARNING: this training needs about {_gb(needed)} and the device has {_gb(reading.total)} in all, "
            "so it will most likely break off: lower --resolution, --batch-size or --rank, or use "
            + ("--quantize or " if reading.kind == "cuda" else "")
            + "--checkpoint-blocks 1."
        ]
    return [*_memory_remarks(reading, needed), *_load_remarks(reading)]


def _memory_remarks(reading: Reading, needed: int) -> list[str]:
    taken = reading.total - reading.free - reading.held
    short = needed > reading.free + reading.held
    if reading.kind == "cuda" and taken > _NOBODY:
        who = ", ".join(reading.others) or "its name is not told here"
        then = f"; about {_gb(needed)} are needed and {_gb(reading.free)} are free" if short else ""
        return [f"Another process holds {_gb(taken)} of this device: {who}{then}."]
    if reading.kind != "cuda" and short:
        return [
            f"About {_gb(needed)} of memory are needed and {_gb(reading.free)} are free: "
            "close what else is running, or this may be stopped or become slow."
        ]
    return []


def _load_remarks(reading: Reading) -> list[str]:
    # One of the busy cores may be ours.
    busy = reading.load - 1.0
    if reading.kind == "cuda" or busy < _BUSY * reading.cores:
        return []
    cores = f"{min(busy, reading.cores):.0f} of {reading.cores} cores"
    return [f"Other processes keep about {cores} busy: this will take longer than estimated."]


def _gb(count: int) -> str:
    return f"{count / GB:.1f} GB"
