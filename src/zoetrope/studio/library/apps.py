"""How Django knows this app."""

from django.apps import AppConfig


class Library(AppConfig):
    """It follows who wins."""

    name = "zoetrope.studio.library"
    label = "library"

    def ready(self) -> None:
        from zoetrope.studio.library.keeping import follow
        from zoetrope.studio.pipelines.runs import ON_WINNER

        ON_WINNER.append(follow)
