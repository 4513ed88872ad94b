"""The demo's week: what Ada lacks is drawn, her week is planned, and its first post lies in the outbox."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoetrope.cli.demo_runs import Best, finish
from zoetrope.cli.output import console

if TYPE_CHECKING:
    from zoetrope.studio.personas.models import Persona
    from zoetrope.studio.pipelines.models import Run
    from zoetrope.studio.publishing.models import Post

OUTSIDE, INSIDE = "Out and about", "Quiet evenings"
_ZONE, _A_WEEK, _DAYS = "UTC", 3.0, 7
_LOOK_SECONDS, _LONGEST_SECONDS = 0.2, 60.0


@dataclass(frozen=True)
class Week:
    """How many posts are planned, and where the one that went out lies; None where it is not out yet."""

    posts: int
    first: "Post"
    folder: Path | None


def plan_week(persona: "Persona", finished: "Run", best: Best) -> "Week | None":
    """Pillars, pictures for their gaps, drafts with captions, one post; nothing where somebody plans already."""
    pillars = set(persona.pillars.values_list("name", flat=True))
    if pillars - {OUTSIDE, INSIDE} or persona.posts.exists():
        return None
    console.print("Planning her week: drawing what her pillars lack …", highlight=False)
    if not pillars:
        _pillars(persona, finished)
    for run in _begun(persona, finished):
        finish(run, best)
    posts = _drafts(persona)
    return Week(len(posts), posts[0], _posted(posts[0])) if posts else None


def _pillars(persona: "Persona", finished: "Run") -> None:
    """Two of them, and her winner in the first."""
    from django.db import transaction

    from zoetrope.studio.library.models import Kept
    from zoetrope.studio.planning import clusters, pillars, rhythm

    rhythm.set_rhythm(persona, rhythm.Wanted(_ZONE, _A_WEEK, "thematic_rotation", _DAYS))
    with transaction.atomic():
        outside = pillars.add(persona, pillars.Wanted(OUTSIDE, 60, 1, guidelines="Parks and beaches. Ask a question."))
        pillars.add(persona, pillars.Wanted(INSIDE, 40, 2, guidelines="Her room, calm words."))
        clusters.fill(clusters.home_of(outside), Kept.objects.filter(run=finished).values_list("pk", flat=True))


def _begun(persona: "Persona", like: "Run") -> "list[Run]":
    """A run for each picture that her pillars lack, by ideas from the template writer."""
    from zoetrope.studio.pipelines.models import Run
    from zoetrope.studio.planning import filling
    from zoetrope.studio.planning.standing import outlook

    pipeline = like.version.pipeline
    lacking = [standing for standing in outlook(persona).standings if standing.lacking]
    earlier = list(Run.objects.filter(gap__pillar__persona=persona, state=Run.State.RUNNING))
    return earlier + [run for standing in lacking for run in filling.make(standing, pipeline, None)]


def _drafts(persona: "Persona") -> "list[Post]":
    """What her strategy chose, each with a caption that the template wrote."""
    from zoetrope.studio.publishing import strategy, suggesting
    from zoetrope.studio.writing.seam import Length

    posts = strategy.plan(persona, None, _DAYS)
    for post in posts:
        suggesting.choose(post, suggesting.variants(post, Length.short)[0])
    return posts


def _posted(post: "Post") -> Path | None:
    """Approved for now, and carried out by the workers like any other."""
    from django.utils import timezone

    from zoetrope.studio.publishing import desk
    from zoetrope.studio.publishing.drivers import outbox_of

    desk.schedule(post, timezone.now())
    given_up = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < given_up:
        post.refresh_from_db()
        if post.state == post.State.PUBLISHED and post.channel is not None:
            return outbox_of(post.channel) / post.media
        time.sleep(_LOOK_SECONDS)
    return None
