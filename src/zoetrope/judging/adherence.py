"""Whether pictures show what was asked for: each held against its own prompt and against those of the others."""

import random
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoetrope.errors import UserError
from zoetrope.judging.latents import latents_of
from zoetrope.judging.scorers.clip import Clip
from zoetrope.models.learner import Learner, Words

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

OTHERS = 24
"""With at most so many other prompts of the set a picture is compared."""

Pairs: TypeAlias = Sequence[tuple[int, int]]
"""Pictures and prompts by their numbers."""

# Noise levels, before the model's own shift, at which the toy world's captions were told apart best.
_LEVELS = (0.5, 0.65)
# Latents that go through the network together: sixty-four small pictures, one of a megapixel.
_LATENTS_TOGETHER = 2**14


class Judge(Protocol):
    """Says how well pictures and prompts go together; only comparisons for one picture mean anything."""

    def suits(self, pictures: "Sequence[Image]", prompts: Sequence[str], pairs: Pairs) -> NDArray[np.float32]:
        """One number a pair, higher where they suit better."""
        ...


def adherence(judge: Judge, pictures: "Sequence[Image]", prompts: Sequence[str], others: int = OTHERS) -> list[float]:
    """For each picture, the share of other prompts that suit it less well than its own: 1 is best, 0.5 is chance.

    The prompts say nothing that only a LoRA knows: triggers are replaced by neutral words before.
    """
    distinct = sorted(set(prompts))
    if len(distinct) < 2:
        raise UserError("Adherence compares prompts with one another; at least two different ones are needed.")
    offered = [[own, *_others(own, distinct, others)] for own in prompts]
    numbers = {prompt: number for number, prompt in enumerate(distinct)}
    pairs = [(picture, numbers[prompt]) for picture, row in enumerate(offered) for prompt in row]
    suits = judge.suits(pictures, distinct, pairs)
    ends = np.cumsum([len(row) for row in offered])[:-1]
    return [_won(row) for row in np.split(suits, ends)]


def _others(own: str, distinct: Sequence[str], most: int) -> list[str]:
    """By chance, but the same for the same prompts."""
    rest = [prompt for prompt in distinct if prompt != own]
    return random.Random(f"adherence/{own}").sample(rest, min(most, len(rest)))


def _won(suits: NDArray[np.float32]) -> float:
    """The first of a row is the picture's own; a draw is half a win."""
    own, rest = suits[0], suits[1:]
    return float((rest < own).mean() + (rest == own).mean() / 2)


class ClipAdherence:
    """The angle between picture and prompt, by a CLIP or SigLIP in a folder of the user's."""

    def __init__(self, folder: Path) -> None:
        self._clip = Clip(folder)
        self._clip.check_words()

    def suits(self, pictures: "Sequence[Image]", prompts: Sequence[str], pairs: Pairs) -> NDArray[np.float32]:
        seen, said = self._clip.embed(pictures), self._clip.embed_words(prompts)
        numbers = np.array(pairs)
        near: NDArray[np.float32] = (seen[numbers[:, 0]] * said[numbers[:, 1]]).sum(axis=1)
        return near


class BaseModelAdherence:
    """The base itself: under which words it takes the noise out of a picture best. It needs no other weights.

    Noise and its levels are the same for all, so that nothing but the words makes a difference.
    """

    def __init__(self, learner: Learner) -> None:
        self._learner = learner

    def suits(self, pictures: "Sequence[Image]", prompts: Sequence[str], pairs: Pairs) -> NDArray[np.float32]:
        import torch

        learner = self._learner
        words = [_placed(each, learner) for each in learner.encode_words(prompts)]
        latents = torch.cat(list(latents_of(learner, pictures)))
        learner.network()
        with torch.no_grad(), _precision(learner):
            errors = [
                torch.stack([self._errors(level, latents, words, part) for level in _LEVELS]).sum(dim=0)
                for part in _parts(latents, pairs)
            ]
        found: NDArray[np.float32] = -torch.cat(errors).numpy()
        return found

    def _errors(self, level: float, latents: "Tensor", words: Sequence[Words], pairs: Pairs) -> "Tensor":
        """How wrong the velocity is for each pair."""
        import torch

        clean = latents[[picture for picture, _ in pairs]].to(self._learner.device)
        noise = torch.randn(latents.shape[1:], generator=torch.Generator().manual_seed(round(100 * level))).to(clean)
        time = self._learner.time(torch.full((len(pairs),), level), latents).to(clean.device)
        noisy = torch.lerp(clean, noise.expand_as(clean), time[:, None, None, None])
        velocity = self._learner.predict(noisy, time, [words[prompt] for _, prompt in pairs])
        return (velocity.float() - (noise - clean)).square().mean(dim=(1, 2, 3)).cpu()


def _parts(latents: "Tensor", pairs: Pairs) -> Iterator[Pairs]:
    together = max(1, _LATENTS_TOGETHER // (latents.shape[2] * latents.shape[3]))
    yield from (pairs[start : start + together] for start in range(0, len(pairs), together))


def _placed(words: Words, learner: Learner) -> Words:
    return {name: tensor.to(learner.device) for name, tensor in words.items()}


def _precision(learner: Learner) -> "AbstractContextManager[Any]":
    import torch

    return torch.autocast(learner.device.type, torch.bfloat16, enabled=learner.plan.dtype == "bfloat16")
