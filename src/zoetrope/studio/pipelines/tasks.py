"""The job that draws one candidate; told to do so again after a crash, it finds what is there."""

from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.making import tasks as making
from zoetrope.studio.making.store import path_of
from zoetrope.studio.pipelines.growing import arrived, grow
from zoetrope.studio.pipelines.models import Candidate
from zoetrope.studio.pipelines.steps import LOCAL


def draw(work: jobs.Work, candidate: int) -> None:
    """Draw it, and see to what comes next."""
    row = Candidate.objects.select_related("order", "parent__made").filter(pk=candidate).first()
    if row is None or row.order is None:
        # Its gate was taken back.
        return
    recipe = row.order.said_recipe
    if row.parent is not None and row.parent.made is not None and recipe.controls and recipe.engine == LOCAL:
        making.engine().lend_picture(path_of(row.parent.made.sha256))
    making.draw(work, row.order.pk)
    arrived(row, row.order.made.get(number=0))
    grow()
