"""When to stop: what the curves of a training say about its length, or that they say nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from zoetrope.training.state import read_log

_FEWEST = 10
# A fifth of the curve at its end is set against the fifth before.
_PART = 0.2
# A smaller fall than this share is none: the noise levels are drawn by chance.
_FALL = 0.02


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl, without those that are damaged."""
    return [line for line in read_log(path) if _whole(line)]


def _whole(line: Mapping[str, Any]) -> bool:
    return isinstance(line.get("loss"), float) and isinstance(line.get("validation", 0.0), float)


def advice(metrics: Sequence[Mapping[str, Any]]) -> str:
    """One sentence; the loss on held-out pictures decides where there is one."""
    judged = [(int(line["step"]), float(line["validation"])) for line in metrics if "validation" in line]
    if len(judged) >= 3:
        return _by_validation(judged)
    if len(metrics) < _FEWEST:
        return "Too short to say when to stop: train longer, or hold pictures out with --validation 0.1."
    return _by_loss(metrics)


def _by_validation(judged: Sequence[tuple[int, float]]) -> str:
    step, lowest = min(judged, key=lambda pair: pair[1])
    last, now = judged[-1]
    if step == last:
        return "The loss on held-out pictures was still falling at the end: more steps may help."
    risen = now / lowest - 1
    if risen < _FALL:
        return f"The loss on held-out pictures has stood still since step {step}: more steps bring little."
    return f"The loss on held-out pictures was lowest at step {step} and rose by {risen:.0%}: stop there next time."


def _by_loss(metrics: Sequence[Mapping[str, Any]]) -> str:
    losses = [float(line["loss"]) for line in metrics]
    size = max(2, round(len(losses) * _PART))
    before, after = mean(losses[-2 * size : -size]), mean(losses[-size:])
    if after < before * (1 - _FALL):
        return f"The loss still fell by {1 - after / before:.0%} over the last fifth: more steps may help."
    step = metrics[-2 * size]["step"]
    return f"The loss has not fallen since about step {step}: fewer steps may do; --validation 0.1 would tell."
