"""The job that draws an order, batch by batch; what is drawn stays, so a try that was killed goes on."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache, partial
from io import BytesIO

from django.db import transaction

from zoetrope.engines.batches import split
from zoetrope.engines.comfyui.engine import Lent
from zoetrope.engines.comfyui.workflow import ENGINE
from zoetrope.engines.engine import Cancelled, EngineLost, Step
from zoetrope.engines.local.process import EngineProcess
from zoetrope.engines.local.wire import FileRef
from zoetrope.media.decode import decode
from zoetrope.media.errors import MediaError
from zoetrope.media.files import write_atomic
from zoetrope.media.hashing import hash_bytes
from zoetrope.media.recipe import Recipe, png_bytes
from zoetrope.models.loras import LoraShelf
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.making.models import Made, MadeLora, Order
from zoetrope.studio.making.orders import another
from zoetrope.studio.making.store import keep, path_of, preview_of, workbench
from zoetrope.studio.servers import drawing as servers

_PREVIEW = 320


@cache
def engine() -> EngineProcess:
    """This worker's engine process: started with the first drawing, warm from then on, gone with the worker."""
    return EngineProcess()


def draw(work: jobs.Work, order: int) -> None:
    """Draw what the order still lacks."""
    row = Order.objects.select_related("space", "persona").get(pk=order)
    if row.said_recipe.engine == ENGINE:
        _draw_elsewhere(work, row)
        return
    batches = split(row.said_recipe, row.count)
    steps = row.said_recipe.steps
    there = set(row.made.values_list("number", flat=True))
    first = 0
    for index, batch in enumerate(batches):
        numbers = range(first, first + batch.batch_size)
        first = numbers.stop
        if not there.issuperset(numbers):
            _draw(work, row, batch, numbers, before=index * steps, total=len(batches) * steps)
    work.progress("drawn", len(batches) * steps, len(batches) * steps)


def _draw(work: jobs.Work, order: Order, batch: Recipe, numbers: range, before: int, total: int) -> None:
    work.progress("waiting for the engine", before, total)
    with workbench(order.key) as folder:
        try:
            files = engine().draw(
                batch,
                folder,
                lambda step: work.progress("drawing", before + step.done, total),
                work.cancelled,
                lambda place: work.progress(f"behind {place} others", before, total) if place else None,
            )
        except Cancelled:
            work.check()
            raise
        except EngineLost as error:
            # A mistake would be final; this one may succeed when tried again.
            raise jobs.Fault(str(error)) from error
        _keep(order, batch, numbers, files)


def _draw_elsewhere(work: jobs.Work, order: Order) -> None:
    """One by one, by whichever of the space's servers can."""
    recipe = order.said_recipe
    there = set(order.made.values_list("number", flat=True))
    for number in sorted(set(range(order.count)) - there):
        work.progress("waiting for ComfyUI", number, order.count)
        each = recipe if number == 0 else another(recipe, recipe.seed + number)
        lent = Lent(path_of, lambda sha256: LoraShelf().find(sha256).path)
        tell = partial(_tell, work, number, order.count)
        try:
            made = servers.draw(
                order.space, each, f"{order.key}-{number}", lent, tell, work.cancelled, partial(_show, order.key)
            )[0]
        except Cancelled:
            work.check()
            raise
        except EngineLost as error:
            raise jobs.Fault(str(error)) from error
        finally:
            preview_of(order.key).unlink(missing_ok=True)
        data = png_bytes(made.image, made.recipe)
        write_atomic(path_of(hash_bytes(data)), data)
        _row(order, made.recipe, number, hash_bytes(data))
    work.progress("drawn", order.count, order.count)


def _show(key: str, data: bytes) -> None:
    """What a server sends of a picture on its way is looked at like any stranger's, and kept small."""
    with suppress(MediaError):
        image = decode(data).image
        image.thumbnail((_PREVIEW, _PREVIEW))
        buffer = BytesIO()
        image.save(buffer, "PNG")
        write_atomic(preview_of(key), buffer.getvalue(), durable=False)


def _tell(work: jobs.Work, number: int, count: int, step: Step) -> None:
    work.progress("drawing", number * step.total + step.done, count * step.total)


def _keep(order: Order, batch: Recipe, numbers: Sequence[int], files: Sequence[FileRef]) -> None:
    """Files first, rows then, all of a batch together: a row never names a file that is not there."""
    for file in files:
        # Two pictures of a batch may be the same, byte for byte; then one move takes both.
        if file.path.exists():
            keep(file.path, file.sha256)
    with transaction.atomic():
        for index, (number, file) in enumerate(zip(numbers, files, strict=True)):
            _row(order, batch.model_copy(update={"batch_index": index}), number, file.sha256)


def _row(order: Order, recipe: Recipe, number: int, sha256: str) -> None:
    said = {"sha256": sha256, "recipe": recipe.model_dump(mode="json"), "width": recipe.width, "height": recipe.height}
    said |= {"space": order.space, "persona": order.persona, "media": recipe.media.value}
    made, _ = Made.objects.update_or_create(order=order, number=number, defaults=said)
    for use in recipe.loras:
        MadeLora.objects.update_or_create(made=made, sha256=use.sha256, defaults={"weight": use.weight})
