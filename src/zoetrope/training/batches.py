"""Which pictures a step sees: decided by the seed and the step's number alone, so a resumed run repeats nothing."""

import random
from collections.abc import Collection, Sequence
from functools import lru_cache

from zoetrope.training.dataset import Shown


class Batches:
    """Epochs of full batches of one size each, in a new order every time."""

    def __init__(self, shown: Sequence[Shown], batch_size: int, seed: int, only: Collection[int] | None = None) -> None:
        self._buckets: dict[tuple[int, int], list[int]] = {}
        for index, each in enumerate(shown):
            if only is None or index in only:
                self._buckets.setdefault(each.size, []).extend([index] * each.item.repeats)
        self._batch_size = batch_size
        self._seed = seed
        self.per_epoch = sum(-(-len(indices) // batch_size) for indices in self._buckets.values())
        self._epoch = lru_cache(maxsize=2)(self._make_epoch)

    def at(self, step: int) -> list[int]:
        """The indices that step `step` trains on, counted from 0."""
        epoch, position = divmod(step, self.per_epoch)
        return self._epoch(epoch)[position]

    def _make_epoch(self, epoch: int) -> list[list[int]]:
        rng = random.Random(f"{self._seed}/epoch/{epoch}")
        batches = []
        for indices in self._buckets.values():
            order = rng.sample(indices, len(indices))
            # The last batch is filled up from the start of the same order: every step costs the same.
            while len(order) % self._batch_size:
                order += order[: self._batch_size - len(order) % self._batch_size]
            batches += [order[i : i + self._batch_size] for i in range(0, len(order), self._batch_size)]
        rng.shuffle(batches)
        return batches
