"""A campaign's brief: begun, changed, ended, thrown away. Its posts stay whatever becomes of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from django.db import transaction
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning import pillars
from zoetrope.studio.planning.models import Pillar
from zoetrope.studio.planning.rhythm import MOST_DAYS
from zoetrope.studio.publishing.calendar import FIRST, LAST
from zoetrope.studio.publishing.models import Campaign
from zoetrope.studio.spaces.models import User

MOST, MOST_POSTS = 200, 60
"""Campaigns of a persona, and posts of one."""
LONGEST_NAME, LONGEST = 80, 2000


@dataclass(frozen=True)
class Wanted:
    """A brief as people say it; both days are included."""

    name: str
    about: str
    starts: date
    ends: date
    posts: int


def add(persona: Persona, said: Wanted, chosen: Sequence[Pillar], by: User | None) -> Campaign:
    """Begin one."""
    said = _checked(said)
    with transaction.atomic():
        Persona.objects.select_for_update().get(pk=persona.pk)
        if persona.campaigns.count() >= MOST:
            raise UserError(f"{persona} has {MOST} campaigns, which is the most: throw one away first.")
        campaign = Campaign.objects.create(space=persona.space, persona=persona, by=by, **asdict(said))
        campaign.pillars.set(_own(persona, chosen))
    return campaign


def change(campaign: Campaign, said: Wanted, chosen: Sequence[Pillar]) -> None:
    """Say it otherwise; posts that it has already stay at their times."""
    for name, value in asdict(_checked(said)).items():
        setattr(campaign, name, value)
    with transaction.atomic():
        campaign.save(update_fields=[*asdict(said)])
        campaign.pillars.set(_own(campaign.persona, chosen))


def offered(persona: Persona, campaign: Campaign | None = None) -> list[Pillar]:
    """The pillars that it may be for: those in use, and those that it has."""
    there = list(campaign.pillars.all()) if campaign else []
    return [*pillars.active(persona), *(each for each in there if each.retired)]


def end(campaign: Campaign) -> None:
    """Nothing more is begun for it; posts that wait for a winner still get it."""
    _set(campaign, ended=True)


def resume(campaign: Campaign) -> None:
    """It goes on."""
    _set(campaign, ended=False)


def drop(campaign: Campaign) -> None:
    """Away with its brief and its ideas. Its posts stay, and so do its runs, whose winners go to the library."""
    if not campaign.ended:
        raise UserError("End the campaign first; nothing was changed.")
    campaign.delete()


def going(campaign: Campaign) -> None:
    """Refuse what is to be begun for one that has ended."""
    if campaign.ended:
        raise UserError(f"{campaign} has ended: resume it first; nothing was changed.")


def _set(campaign: Campaign, *, ended: bool) -> None:
    campaign.ended = timezone.now() if ended else None
    campaign.save(update_fields=["ended"])


def _own(persona: Persona, chosen: Sequence[Pillar]) -> list[Pillar]:
    if any(each.persona_id != persona.pk for each in chosen):
        raise UserError(f"A campaign is for pillars of {persona}; nothing was changed.")
    return list(chosen)


def _checked(said: Wanted) -> Wanted:
    name, about = said.name.strip(), said.about.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise UserError(f"A campaign has a name of 1 to {LONGEST_NAME} characters.")
    if not 0 < len(about) <= LONGEST:
        raise UserError(f"Say what the campaign is about, in 1 to {LONGEST:,} characters.")
    if not FIRST <= said.starts <= said.ends <= LAST:
        raise UserError("A campaign begins before it ends, or on the same day.")
    if (said.ends - said.starts).days >= MOST_DAYS:
        raise UserError(f"A campaign lasts {MOST_DAYS} days at most.")
    if not 1 <= said.posts <= MOST_POSTS:
        raise UserError(f"A campaign has 1 to {MOST_POSTS} posts.")
    return Wanted(name, about, said.starts, said.ends, said.posts)
