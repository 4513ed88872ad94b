"""Many pictures as batches, each a recipe that stands for itself."""

from zoetrope.errors import UserError
from zoetrope.media.recipe import Recipe

LARGEST_BATCH = 8
MOST_PICTURES = 10_000
# A batch holds no more pixels than this; it depends on nothing else, so a count splits alike on every machine.
_BATCH_PIXELS = 2**20


def batch_limit(width: int, height: int) -> int:
    """How many pictures of a size are drawn together."""
    return max(1, min(LARGEST_BATCH, _BATCH_PIXELS // (width * height)))


def split(recipe: Recipe, count: int) -> list[Recipe]:
    """Recipes for `count` pictures; each batch starts at the seed after the last picture of the one before."""
    if not 1 <= count <= MOST_PICTURES:
        raise UserError(f"A count of {count} is out of range: ask for 1 to {MOST_PICTURES} pictures.")
    if recipe.seed + count > 2**63:
        raise UserError(f"A seed of {recipe.seed} leaves no seeds for {count} pictures.")
    size = batch_limit(recipe.width, recipe.height)
    return [
        recipe.model_copy(
            update={"seed": recipe.seed + first, "batch_size": min(size, count - first), "batch_index": 0}
        )
        for first in range(0, count, size)
    ]
