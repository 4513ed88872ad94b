"""From an idea to a post with a picture: a draft that waits, a run for it, and its winner, given to it once."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.library.models import Kept
from zoetrope.studio.pipelines import runs
from zoetrope.studio.pipelines.models import Pipeline, Run
from zoetrope.studio.pipelines.variables import PROMPT
from zoetrope.studio.planning import clusters
from zoetrope.studio.planning.filling import MOST_AT_ONCE, as_asked
from zoetrope.studio.publishing import captioning, desk
from zoetrope.studio.publishing.campaigns import days, thinking
from zoetrope.studio.publishing.campaigns.briefs import MOST_POSTS, going
from zoetrope.studio.publishing.models import Campaign, CampaignIdea, Post
from zoetrope.studio.spaces.models import User

_A_LOOK = 100
State = CampaignIdea.State


def choose(campaign: Campaign, keys: Sequence[int], by: User | None) -> list[Post]:
    """A draft for each of these ideas, at a free time of the campaign's days; all of them or none."""
    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        going(campaign)
        ideas = thinking.named(campaign, keys)
        if campaign.ideas.filter(state=State.CHOSEN).count() + len(ideas) > MOST_POSTS:
            raise UserError(f"A campaign has at most {MOST_POSTS} posts: choose fewer; nothing was changed.")
        thinking.moved(ideas, State.CHOSEN)
        among, times = campaign.ideas.count(), days.times(campaign, len(ideas), timezone.now())
        return [_drafted(campaign, idea, time, by, among) for idea, time in zip(ideas, times, strict=True)]


def _drafted(campaign: Campaign, idea: CampaignIdea, time: days.Time, by: User | None, among: int) -> Post:
    rules = [f"It is the idea “{idea}” of the campaign {campaign}, which {idea.by or 'nobody known'} wrote."]
    if time.at is None:
        rules.append("The campaign's days have no free hour left: give it a time.")
    why: dict[str, Any] = {"strategy": "a person", "about": "an idea of a campaign.", "among": among, "rules": rules}
    why |= {"relaxed": [str(each) for each in time.relaxed], "next": [], "campaign": campaign.pk}
    post = desk.draft(campaign.persona, (), by, due=time.at, pillar=idea.pillar, why=why)
    CampaignIdea.objects.filter(pk=idea.pk).update(post=post, filled=None)
    idea.post, idea.filled = post, None
    # A run that was begun before the idea was put back may have its winner already.
    settle(idea)
    return post


def put_back(idea: CampaignIdea) -> None:
    """It is an idea again; its draft goes, and the picture in that is free again."""
    with transaction.atomic():
        if idea.post is not None:
            desk.drop(idea.post)
        thinking.moved([idea], State.PENDING)
        CampaignIdea.objects.filter(pk=idea.pk).update(post=None, filled=None)


def waiting(campaign: Campaign) -> "QuerySet[CampaignIdea]":
    """Those whose posts have no picture and for which nothing is drawn, the first to go out first."""
    rows = campaign.ideas.filter(state=State.CHOSEN, post__state=Post.State.DRAFT, post__pictures=None)
    # A winner that somebody took out again may be followed by another's.
    rows = rows.exclude(run__state=Run.State.RUNNING).exclude(run__state=Run.State.DONE, filled=None)
    return rows.order_by(F("post__due").asc(nulls_last=True), "pk")


def make(campaign: Campaign, pipeline: Pipeline, by: User | None) -> list[Run]:
    """Start runs for what waits, as many as a click may."""
    going(campaign)
    with transaction.atomic():
        found = list(waiting(campaign)[:MOST_AT_ONCE])
        if not found:
            raise UserError("No post of it waits for a picture that is not being made already; nothing was started.")
        return [draw(idea, pipeline, by) for idea in found]


def draw(idea: CampaignIdea, pipeline: Pipeline, by: User | None, prompt: str | None = None) -> Run:
    """Have it drawn, with its prompt or with what somebody made of that; the winner goes to its post."""
    campaign = idea.campaign
    going(campaign)
    with transaction.atomic():
        row = CampaignIdea.objects.select_for_update().get(pk=idea.pk)
        if row.post is None or not waiting(campaign).filter(pk=row.pk).exists():
            raise UserError(f"“{row}” waits for no picture now; nothing was started.")
        if prompt is not None:
            thinking.reword(row, prompt, by)
        said = as_asked(pipeline, campaign.persona.trigger, row.prompt)
        run = runs.start(pipeline, campaign.persona, row.title, {PROMPT: said}, by)
        CampaignIdea.objects.filter(pk=row.pk).update(run=run)
    idea.run = run
    return run


def follow(run: Run) -> None:
    """Its winner into the post that it was started for; without one, that post waits again as long as it is a draft."""
    idea = CampaignIdea.objects.filter(run=run).first()
    if idea is not None:
        settle(idea)


def look() -> None:
    """Give posts the winners that they were not given when those were crowned."""
    rows = CampaignIdea.objects.filter(run__state=Run.State.DONE, run__kept__aside=None, post__state=Post.State.DRAFT)
    for idea in rows.filter(filled=None, post__pictures=None, run__kept__isnull=False)[:_A_LOOK]:
        settle(idea)


def settle(idea: CampaignIdea) -> bool:
    """What its post shows follows its run's winner, unless a person has put others there or approved it."""
    # Somebody who takes the post further at this moment goes first, and nobody's winner is refused for it.
    with suppress(UserError), transaction.atomic():
        row = CampaignIdea.objects.select_for_update().get(pk=idea.pk)
        kept = Kept.objects.filter(run=row.run, aside=None).select_related("made").first() if row.run_id else None
        if not _takes(row, kept):
            return False
        assert row.post is not None
        desk.show(row.post, [kept] if kept else [])
        CampaignIdea.objects.filter(pk=row.pk).update(filled=kept.made_id if kept else None)
        if kept is not None:
            _given(row.post, kept)
        return True
    return False


def _takes(idea: CampaignIdea, kept: Kept | None) -> bool:
    """Whether its post is to show another winner than it was given, or none any more."""
    post = idea.post
    if post is None or post.state != Post.State.DRAFT or idea.filled_id == (kept.made_id if kept else None):
        return False
    shown = list(post.pictures.values_list("made", flat=True))
    return not shown or shown == [idea.filled_id]


def _given(post: Post, kept: Kept) -> None:
    """The picture lies with its pillar's, and a caption is asked for where there is none."""
    if post.pillar is not None and post.pillar.retired is None:
        # Where a persona may have no further cluster, it lies in none.
        with suppress(UserError), transaction.atomic():
            clusters.fill(clusters.home_of(post.pillar), [kept.pk])
    if not post.caption.strip():
        captioning.ask(post)
