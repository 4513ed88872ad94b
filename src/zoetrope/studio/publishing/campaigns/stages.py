"""How far a campaign's posts have come, one by one and together."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef

from zoetrope.studio.pipelines.models import Run
from zoetrope.studio.publishing.agenda import first_pictures
from zoetrope.studio.publishing.calendar import wall
from zoetrope.studio.publishing.models import Campaign, CampaignIdea, Post, PostPicture

_SHOWS = Exists(PostPicture.objects.filter(post=OuterRef("post")))


class Stage(StrEnum):
    """Where an idea, or the post that it became, stands."""

    IDEA = "idea"
    REJECTED = "rejected"
    GONE = "post thrown away"
    WAITING = "waiting for a picture"
    DRAWING = "drawing"
    PICTURED = "with a picture"
    APPROVED = "approved"
    FAILED = "to look at"
    POSTED = "posted"


POSTS = (Stage.WAITING, Stage.DRAWING, Stage.PICTURED, Stage.APPROVED, Stage.FAILED, Stage.POSTED)
"""Those of a post that is there, in the order in which it comes through them."""
_WHOLE = 4
_STEPS = {Stage.WAITING: 1, Stage.DRAWING: 1, Stage.PICTURED: 2, Stage.APPROVED: 3, Stage.FAILED: 3, Stage.POSTED: 4}
_NEVER = datetime.max
Staged = list[tuple[CampaignIdea, Stage]]
_LOOSE = (Stage.GONE, Stage.WAITING, Stage.DRAWING, Stage.PICTURED)
_NEEDS_A_LOOK = (Post.State.FAILED, Post.State.UNCONFIRMED)


@dataclass(frozen=True)
class Progress:
    """How many of a campaign's posts stand where, and how far all of them have come."""

    wanted: int
    counts: Mapping[Stage, int]

    @property
    def chosen(self) -> int:
        """Posts that are there."""
        return sum(self.counts.get(stage, 0) for stage in POSTS)

    @property
    def posted(self) -> int:
        """Those that went out."""
        return self.counts.get(Stage.POSTED, 0)

    @property
    def waiting(self) -> int:
        """Those that nothing is drawn for."""
        return self.counts.get(Stage.WAITING, 0)

    @property
    def whole(self) -> int:
        """All steps of all posts."""
        return _WHOLE * max(self.wanted, self.chosen, 1)

    @property
    def done(self) -> int:
        """The steps that were taken: chosen, drawn, approved, posted."""
        return sum(_STEPS.get(stage, 0) * count for stage, count in self.counts.items())

    @property
    def told(self) -> list[tuple[Stage, int]]:
        """Each stage that has a post, with how many."""
        return [(stage, self.counts[stage]) for stage in POSTS if self.counts.get(stage)]


@dataclass(frozen=True)
class Row:
    """A post of a campaign as its page shows it; the time is its persona's."""

    idea: CampaignIdea
    stage: Stage
    when: datetime | None
    picture: str

    @property
    def begins(self) -> bool:
        """Whether a run can be started for it."""
        return self.stage is Stage.WAITING

    @property
    def loose(self) -> bool:
        """Whether it can be put back among the ideas."""
        return self.stage in _LOOSE


def stage(state: str, post: str | None, shows: bool, run: str | None) -> Stage:
    """By the states of an idea, its post and its run, and whether the post shows a picture."""
    if state != CampaignIdea.State.CHOSEN:
        return Stage.IDEA if state == CampaignIdea.State.PENDING else Stage.REJECTED
    if post is None:
        return Stage.GONE
    if post != Post.State.DRAFT:
        return _on_its_way(post)
    if shows:
        return Stage.PICTURED
    return Stage.DRAWING if run == Run.State.RUNNING else Stage.WAITING


def progress(campaigns: Iterable[Campaign]) -> dict[int, Progress]:
    """That of each campaign, by its number."""
    wanted = {each.pk: each.posts for each in campaigns}
    rows = CampaignIdea.objects.filter(campaign__in=list(wanted)).annotate(shows=_SHOWS).order_by()
    found: dict[int, Counter[Stage]] = defaultdict(Counter)
    grouped = rows.values_list("campaign", "state", "post__state", "shows", "run__state").annotate(count=Count("pk"))
    for campaign, state, post, shows, run, count in grouped:
        found[campaign][stage(state, post, shows, run)] += count
    return {key: Progress(posts, found[key]) for key, posts in wanted.items()}


def staged(campaign: Campaign) -> Staged:
    """All of its ideas, each with where it stands."""
    rows = campaign.ideas.select_related("post", "run", "pillar").annotate(shows=_SHOWS)
    return [(each, _stage_of(each, shows=each.shows)) for each in rows]


def progress_of(campaign: Campaign, ideas: Staged) -> Progress:
    """That of one campaign, by its ideas."""
    return Progress(campaign.posts, Counter(stage for _, stage in ideas))


def posts_of(ideas: Staged, zone: ZoneInfo) -> list[Row]:
    """The posts of those that were chosen, the first to go out first; those without a time come last."""
    chosen = [(idea, stage) for idea, stage in ideas if idea.state == CampaignIdea.State.CHOSEN]
    pictures = first_pictures(idea.post_id for idea, _ in chosen if idea.post_id)
    rows = [
        Row(idea, stage, wall(idea.post.due, zone) if idea.post else None, pictures.get(idea.post_id or 0, ""))
        for idea, stage in chosen
    ]
    return sorted(rows, key=lambda row: (row.when is None, row.when or _NEVER, row.idea.pk))


def _stage_of(idea: CampaignIdea, *, shows: bool) -> Stage:
    return stage(idea.state, idea.post.state if idea.post else None, shows, idea.run.state if idea.run else None)


def _on_its_way(post: str) -> Stage:
    if post in _NEEDS_A_LOOK:
        return Stage.FAILED
    return Stage.POSTED if post == Post.State.PUBLISHED else Stage.APPROVED
