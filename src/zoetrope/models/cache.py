"""The warm cache: loaded pipelines, the longest unused dropped first when memory is short."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from zoetrope.models.adapters import Adapters
from zoetrope.models.family import Pipeline
from zoetrope.models.loading import release_memory
from zoetrope.models.memory import MemoryPlan

Key = tuple[str, MemoryPlan]


@dataclass(frozen=True)
class Warm:
    """A loaded pipeline and the adapters on it."""

    pipeline: Pipeline
    adapters: Adapters
    weights_bytes: int


class WarmCache:
    """Pipelines by model hash and plan, within a budget of bytes; one larger than the budget is held alone."""

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._held: OrderedDict[Key, Warm] = OrderedDict()

    @property
    def held_bytes(self) -> int:
        return sum(warm.weights_bytes for _, warm in self.held())

    def held(self) -> list[tuple[Key, Warm]]:
        """What is warm now; a copy, so that one may look while another thread loads."""
        return list(self._held.items())

    def __contains__(self, key: Key) -> bool:
        return key in self._held

    def peek(self, key: Key) -> Warm | None:
        """The pipeline if it is warm."""
        return self._held.get(key)

    def get(self, key: Key, weights_bytes: int, load: Callable[[], Pipeline]) -> Warm:
        """The warm pipeline, loaded now if it is not; room is made before loading, not after."""
        if key not in self._held:
            self._make_room(weights_bytes)
            pipeline = load()
            self._held[key] = Warm(pipeline, Adapters(pipeline), weights_bytes)
        self._held.move_to_end(key)
        return self._held[key]

    def clear(self) -> None:
        self._make_room(self.budget_bytes)

    def _make_room(self, weights_bytes: int) -> None:
        if not self._held or self.held_bytes + weights_bytes <= self.budget_bytes:
            return
        while self._held and self.held_bytes + weights_bytes > self.budget_bytes:
            self._held.popitem(last=False)
        release_memory()
