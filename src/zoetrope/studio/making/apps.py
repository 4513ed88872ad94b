"""How Django knows this app."""

from django.apps import AppConfig

# A server may be started anew, which takes a while.
ELSEWHERE = (2, 15, 60, 300)


class Making(AppConfig):
    """Its jobs draw an order, here or where somebody else's engine is."""

    name = "zoetrope.studio.making"
    label = "making"

    def ready(self) -> None:
        from zoetrope.studio.jobs import seam as jobs
        from zoetrope.studio.making.orders import KIND, KIND_ELSEWHERE

        draw = "zoetrope.studio.making.tasks:draw"
        jobs.register(KIND, draw)
        jobs.register(KIND_ELSEWHERE, draw, queue=jobs.Queue.OPEN, retries=ELSEWHERE)
