"""The warm cache: what is held, and what leaves first."""

from zoetrope.models.cache import WarmCache
from zoetrope.models.memory import MemoryPlan

PLAN = MemoryPlan("cpu", "float32")


def filled(cache: WarmCache, *names: str) -> list[str]:
    """Ask for models of 10 bytes; the names of those that had to be loaded."""
    loaded: list[str] = []
    for name in names:
        cache.get((name, PLAN), 10, lambda name=name: loaded.append(name))  # type: ignore[misc]
    return loaded


def test_a_warm_model_is_not_loaded_again() -> None:
    assert filled(WarmCache(100), "a", "a", "b", "a") == ["a", "b"]


def test_the_longest_unused_makes_room() -> None:
    cache = WarmCache(25)
    assert filled(cache, "a", "b", "a", "c", "a", "b") == ["a", "b", "c", "b"]
    assert cache.held_bytes == 20


def test_one_larger_than_the_budget_is_held_alone() -> None:
    cache = WarmCache(15)
    filled(cache, "a")
    cache.get(("big", PLAN), 99, lambda: None)
    assert cache.held_bytes == 99
    assert ("a", PLAN) not in cache


def test_another_plan_is_another_model() -> None:
    cache = WarmCache(100)
    filled(cache, "a")
    assert cache.peek(("a", MemoryPlan("cuda", "bfloat16"))) is None
    assert cache.peek(("a", PLAN)) is not None
