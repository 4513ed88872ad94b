"""Ideas for a campaign: written by the space's writer from its brief; a person chooses, rejects, brings back."""

from collections.abc import Iterator, Sequence
from secrets import randbelow
from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import transaction

from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.pipelines.models import IllegalMove
from zoetrope.studio.planning.ideas import recent_prompts
from zoetrope.studio.planning.models import Pillar
from zoetrope.studio.publishing.campaigns.briefs import LONGEST, going
from zoetrope.studio.publishing.models import Campaign, CampaignIdea
from zoetrope.studio.spaces.models import Space, User
from zoetrope.studio.spaces.work import scope_of

if TYPE_CHECKING:
    from zoetrope.studio.writing.seam import IdeaBrief, Writer

KIND = "campaign-ideas"
MOST, A_FEW = 120, 3
"""Ideas of a campaign, and how many more are thought of where it has enough."""
_AT_ONCE = 5
_SEEDS = 2**31
State = CampaignIdea.State


def ask(campaign: Campaign) -> jobs.Job:
    """Have as many written as it lacks; where it lacks none, a few more to choose from."""
    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        going(campaign)
        if under_way(campaign) is not None:
            raise UserError(f"Ideas for {campaign} are being written already: wait for them.")
        held = campaign.ideas.exclude(state=State.REJECTED).count()
        count = min(max(campaign.posts - held, A_FEW), MOST - campaign.ideas.count())
        if count <= 0:
            raise UserError(f"A campaign has at most {MOST} ideas, also rejected ones: bring some of those back.")
        key, title = f"{KIND}-{uuid4().hex[:16]}", f"Ideas for {campaign}"[:200]
        told = {"campaign": campaign.pk, "count": count}
        return jobs.enqueue(KIND, key, told, scope=scope_of(campaign.space), title=title)


def under_way(campaign: Campaign) -> jobs.Job | None:
    """The job that writes some now."""
    going_on = [state for state in jobs.State if state not in jobs.ENDED]
    mine = jobs.Job.objects.filter(scope=scope_of(campaign.space), state__in=going_on, kind=KIND)
    return mine.filter(args__campaign=campaign.pk).first()


def write(work: jobs.Work, campaign: int, count: int) -> None:
    """The job: so many ideas, for its pillars in turn. What is there from a try before is not written again."""
    row = Campaign.objects.select_related("persona__space").filter(pk=campaign).first()
    if row is None:
        return
    writer = _writer(row.persona.space)
    there = set(CampaignIdea.objects.filter(job=work.key).values_list("place", flat=True))
    for pillar, places in _portions(list(row.pillars.filter(retired=None)), count):
        work.check()
        work.progress("writing", len(there), count)
        if missing := [place for place in places if place not in there]:
            _written(row, pillar, writer, missing, work.key)
            there.update(missing)
    work.progress("writing", count, count)


def reword(idea: CampaignIdea, prompt: str, by: User | None) -> None:
    """Another prompt than was written; whoever changed it is told with it."""
    prompt = prompt.strip()
    if prompt == idea.prompt:
        return
    if not 0 < len(prompt) <= LONGEST:
        raise UserError(f"A prompt has 1 to {LONGEST:,} characters.")
    idea.prompt, idea.by = prompt, f"{idea.by.partition(', changed by ')[0]}, changed by {by}"[:120]
    idea.save(update_fields=["prompt", "by"])


def moved(ideas: Sequence[CampaignIdea], to: State) -> None:
    """All of them to another state, or none and a sentence on why not."""
    with transaction.atomic():
        for idea in ideas:
            try:
                idea.move(to)
            except IllegalMove as error:
                raise UserError(f"“{idea}” is {idea.state} by now; nothing was changed.") from error


def named(campaign: Campaign, keys: Sequence[int]) -> list[CampaignIdea]:
    """Its ideas of these numbers, in their order, all of them."""
    found = list(campaign.ideas.filter(pk__in=keys))
    if not found:
        raise UserError("Choose an idea first; nothing was changed.")
    if len(found) < len(set(keys)):
        raise UserError("One of these ideas is not there any more; nothing was changed.")
    return found


def _portions(pillars: Sequence[Pillar], count: int) -> Iterator[tuple[Pillar | None, list[int]]]:
    """Each pillar's numbers, a few at a time."""
    several: list[Pillar | None] = [*pillars] or [None]
    for first, pillar in enumerate(several):
        places = list(range(first, count, len(several)))
        for start in range(0, len(places), _AT_ONCE):
            yield pillar, places[start : start + _AT_ONCE]


def _written(
    campaign: Campaign, pillar: Pillar | None, writer: "Writer", places: Sequence[int], job: str
) -> list[CampaignIdea]:
    """Written as a whole or, after a crash, again: two tries at once leave one."""
    found = writer.ideas(_brief(campaign, pillar, len(places)))
    rows = [
        CampaignIdea(
            campaign=campaign,
            pillar=pillar,
            title=each.title[:120],
            description=each.description[:LONGEST],
            prompt=each.prompt[:LONGEST],
            by=each.by[:120],
            job=job,
            place=place,
        )
        for place, each in zip(places, found, strict=False)
    ]
    return CampaignIdea.objects.bulk_create(rows, ignore_conflicts=True)


def _brief(campaign: Campaign, pillar: Pillar | None, count: int) -> "IdeaBrief":
    from zoetrope.studio.writing.seam import IdeaBrief

    persona = campaign.persona
    thought = campaign.ideas.order_by("-pk").values_list("prompt", flat=True)
    return IdeaBrief(
        persona=persona.trigger,
        voice=persona.said_voice,
        looks=workspace_of(persona).persona.looks,
        pillar=pillar.name if pillar else campaign.name,
        guidelines="\n\n".join(text for text in (campaign.about, pillar.guidelines if pillar else "") if text),
        recent_prompts=tuple(dict.fromkeys((*thought, *recent_prompts(persona)))),
        count=count,
        base_model=persona.base,
    )


def _writer(space: Space) -> "Writer":
    from zoetrope.studio.writing.keeping import writer_of

    return writer_of(space, seed=randbelow(_SEEDS))
