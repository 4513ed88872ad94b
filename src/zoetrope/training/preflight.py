"""What a training will take, and what it would leave out: told before it begins."""

import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoetrope.models import folders
from zoetrope.models.learner import Learner
from zoetrope.models.memory import WeightSizes, peak_memory
from zoetrope.training.dataset import Dataset, Dropped, Shown
from zoetrope.training.device import Reading, device_remarks, halves, read_device
from zoetrope.training.settings import Settings

# Captions that many pictures share teach that caption's words to all of them at once.
_SAME_CAPTION_SHARE = 0.5
# What the libraries take once they calculate: code, buffers, the allocator's slack. Measured.
_RUNTIME_BYTES = 200 * 10**6
# What a block remembers for the way back: so many bytes for each token and each of the network's columns.
_REMEMBERED_BYTES = 120
_LAYERS_A_BLOCK = 8


@dataclass(frozen=True)
class Preflight:
    """Figures and remarks for a person."""

    pictures: int
    buckets: dict[str, int]
    dropped: tuple[Dropped, ...]
    memory_bytes: int
    seconds: float
    remarks: tuple[str, ...]
    # Where a sheet of the first batch will lie once it is encoded.
    preview: Path | None = None


def preflight(
    learner: Learner,
    dataset: Dataset,
    shown: Sequence[Shown],
    settings: Settings,
    trigger: str,
    reading: Reading | None = None,
) -> Preflight:
    """Estimate memory and time, read the captions once over, and look who else is on the device."""
    needed = estimate_memory(learner, shown, settings)
    captions = [item.caption for item in dataset.items if not item.other]
    sizes = Counter(f"{width}x{height}" for width, height in (each.size for each in shown))
    return Preflight(
        pictures=len(dataset.items),
        buckets=dict(sorted(sizes.items())),
        dropped=dataset.dropped,
        memory_bytes=needed,
        seconds=estimate_seconds(learner, shown, settings),
        remarks=(
            *learner.notes(),
            *caption_remarks(captions, trigger),
            *device_remarks(reading or read_device(), needed),
        ),
    )


def caption_remarks(captions: Sequence[str], trigger: str) -> list[str]:
    """What in the captions would teach the wrong thing."""
    remarks = []
    if trigger:
        without = [caption for caption in captions if trigger.lower() not in caption.lower()]
        if without:
            remarks.append(f"{len(without)} of {len(captions)} captions lack the trigger {trigger!r}.")
    text, times = Counter(captions).most_common(1)[0]
    if times > 1 and times >= _SAME_CAPTION_SHARE * len(captions):
        remarks.append(f"{times} of {len(captions)} captions are the same ({text[:60]!r}): say what differs.")
    if not any(captions):
        remarks.append("Every caption is empty: nothing ties the pictures to words.")
    return remarks


def estimate_memory(learner: Learner, shown: Sequence[Shown], settings: Settings) -> int:
    """Bytes at the peak, above a bare interpreter's: at loading or while training, whichever is more."""
    counts = folders.parameters(learner.folder)
    # Quantized or not, as the plan says; the decoder for samples stands beside the network.
    network = learner.plan.bytes_for(WeightSizes.of({part: counts.get(part, 0) for part in ("transformer", "vae")}))
    # On a processor weights are copied out of their mapped file, which counts until the last one is.
    loading = 2 * network if learner.plan.device == "cpu" else network
    shapes = _lora_shapes(learner)
    # Weight, average, gradient and two moments, each in float32.
    held = 4 * 5 * settings.rank * sum(map(sum, shapes))
    width = max(min(shape) for shape in shapes)
    depth = len(shapes) / _LAYERS_A_BLOCK
    remembered = _REMEMBERED_BYTES * width * depth * (1 - settings.checkpoint_blocks)
    training = network + held + settings.batch_size * most_tokens(learner, shown) * remembered
    return int(_RUNTIME_BYTES + max(loading, training))


def _lora_shapes(learner: Learner) -> list[tuple[int, int]]:
    """The layers that get a LoRA."""
    pattern = re.compile(learner.targets())
    named = {
        name: shape for meant in learner.family.lora_layers(learner.folder).values() for name, shape in meant.items()
    }
    return [shape for name, shape in named.items() if pattern.fullmatch(name.removeprefix("transformer."))]


def most_tokens(learner: Learner, shown: Sequence[Shown]) -> int:
    """Picture and text tokens of the largest bucket."""
    step = learner.family.size_step(learner.folder)
    return max(width * height for width, height in (s.size for s in shown)) // step**2 + learner.defaults.max_tokens


def estimate_seconds(learner: Learner, shown: Sequence[Shown], settings: Settings) -> float:
    """Operations over this device's measured rate: forward once, and back through activations alone."""
    tokens = settings.batch_size * most_tokens(learner, shown)
    passes = 2 + 2 + 2 * settings.checkpoint_blocks
    operations = passes * folders.parameters(learner.folder)["transformer"] * tokens
    return settings.steps * operations / matrix_rate(learner, settings)


def matrix_rate(learner: Learner, settings: Settings) -> float:
    """Operations a second in products of matrices as wide as a small model's, in the numbers it is trained in."""
    import torch

    dtype = torch.bfloat16 if halves(settings, learner.plan) else torch.float32
    matrix = torch.randn(512, 512, device=learner.device, dtype=dtype)
    for _ in range(3):
        matrix @ matrix
    began, count = time.perf_counter(), 20
    for _ in range(count):
        matrix @ matrix
    if learner.device.type == "cuda":
        torch.cuda.synchronize()
    return float(count * 2 * 512**3 / (time.perf_counter() - began))


def used_memory(learner: Learner) -> int:
    """The peak so far, for comparing with the estimate."""
    return peak_memory(learner.plan.device)
