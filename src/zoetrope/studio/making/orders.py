"""Asking for pictures: an order is a row and a job, both or neither."""

from collections.abc import Iterable

from django.db import transaction

from zoetrope.engines.batches import split
from zoetrope.engines.comfyui.workflow import ENGINE, reseeded
from zoetrope.errors import UserError
from zoetrope.media.recipe import Recipe
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.making.models import Order
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.models import Space, User
from zoetrope.studio.spaces.work import scope_of

KIND, KIND_ELSEWHERE = "draw", "draw-elsewhere"
MOST = 100


def written(
    space: Space, recipe: Recipe, count: int, by: User | None, persona: Persona | None = None, *, tried: bool = False
) -> Order:
    """An order's row, for whoever has a job of their own draw it."""
    if not 1 <= count <= MOST:
        raise UserError(f"{count} pictures cannot be ordered: ask for 1 to {MOST}.")
    split(recipe, count)
    said = recipe.model_dump(mode="json")
    return Order.objects.create(space=space, persona=persona, by=by, recipe=said, count=count, tried=tried)


def place(
    space: Space, recipe: Recipe, count: int, by: User | None, persona: Persona | None = None, *, tried: bool = True
) -> Order:
    """Have so many pictures drawn; what is tried is looked at where things are."""
    with transaction.atomic():
        order = written(space, recipe, count, by, persona, tried=tried)
        kind = KIND_ELSEWHERE if recipe.engine == ENGINE else KIND
        jobs.enqueue(kind, order.key, {"order": order.pk}, scope=scope_of(space), title=f"Draw {order}"[:200])
    return order


def another(recipe: Recipe, seed: int) -> Recipe:
    """The same from another seed."""
    graph = recipe.graph and reseeded(recipe.graph, seed)
    return recipe.model_copy(update={"seed": seed, "graph": graph})


def jobs_of(orders: Iterable[Order]) -> dict[str, jobs.Job]:
    """How several stand, by their keys."""
    return {job.key: job for job in jobs.Job.objects.filter(key__in=[order.key for order in orders])}


def job_of(order: Order) -> jobs.Job | None:
    """How it stands; none when it ended so long ago that its job was forgotten."""
    return jobs.Job.objects.filter(key=order.key).first()
