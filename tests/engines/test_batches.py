"""Many pictures as batches that each stand for themselves."""

import pytest

from tests.models.test_flux import recipe
from zoetrope.engines.batches import batch_limit, split
from zoetrope.errors import UserError


def test_each_batch_starts_at_the_next_seed() -> None:
    batches = split(recipe(seed=5, width=64, height=64), 18)
    assert [(batch.seed, batch.batch_size) for batch in batches] == [(5, 8), (13, 8), (21, 2)]


@pytest.mark.parametrize(("side", "limit"), [(64, 8), (512, 4), (1024, 1), (2048, 1)])
def test_large_pictures_are_drawn_fewer_at_a_time(side: int, limit: int) -> None:
    assert batch_limit(side, side) == limit


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_counts_out_of_range_are_refused(count: int) -> None:
    with pytest.raises(UserError, match="out of range"):
        split(recipe(), count)


def test_seeds_do_not_run_out() -> None:
    with pytest.raises(UserError, match="leaves no seeds"):
        split(recipe(seed=2**63 - 1), 2)
