"""How Django knows this app."""

from django.apps import AppConfig


class Voting(AppConfig):
    """It has no jobs: a vote is counted while its sender waits."""

    name = "zoetrope.studio.voting"
    label = "voting"

    def ready(self) -> None:
        from zoetrope.studio.pipelines.telling import DOUBTS
        from zoetrope.studio.voting.heats import doubt

        DOUBTS.append(doubt)
