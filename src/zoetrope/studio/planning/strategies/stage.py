"""Where a choice is made: what all strategies do alike with times, clusters, shares and reasons."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from zoetrope.studio.planning.cadence import Cadence, Rule, free_times, local_day, resting, used_up, wanting
from zoetrope.studio.planning.gaps import Plan, next_pillar
from zoetrope.studio.planning.slots import local
from zoetrope.studio.planning.strategies.seam import Choice, Option, Past, Settings
from zoetrope.studio.planning.strategies.shortlist import Shortlist, shortlist

_NOON = 12
SHARES_OF = timedelta(days=30)
"""A pillar's share is counted over so much time before a post."""


@dataclass(frozen=True)
class Stage:
    """A day's free times, and the options that the rules leave for it: the best of each pillar and format."""

    times: tuple[datetime, ...]
    listed: Shortlist
    past: Sequence[Past]
    settings: Settings
    rules: tuple[str, ...]

    @property
    def options(self) -> Sequence[Option]:
        return self.listed.options

    @cached_property
    def plans(self) -> list[Plan]:
        """The pillars; those without a picture for this day have none available."""
        left = Counter(option.pillar for option in self.options)
        return [replace(plan, available=left[plan.key]) for plan in self.settings.plans]

    @cached_property
    def recent(self) -> list[Past]:
        """The posts that shares are counted of."""
        at = self.times[0]
        return [post for post in self.past if at - SHARES_OF < post.at <= at]

    @cached_property
    def shares(self) -> dict[int, float]:
        """Which part of the recent posts each pillar has."""
        counts = Counter(post.pillar for post in self.recent if post.pillar is not None)
        return {key: count / len(self.recent) for key, count in counts.items()}

    @cached_property
    def in_pillars(self) -> Sequence[Option]:
        """The options of current pillars; where there is none, all."""
        keys = {plan.key for plan in self.settings.plans}
        return [option for option in self.options if option.pillar in keys] or self.options

    def of(self, plan: Plan) -> list[Option]:
        """A pillar's options."""
        return [option for option in self.options if option.pillar == plan.key]

    def choice(
        self,
        option: Option,
        rules: Iterable[str],
        runners_up: Iterable[tuple[Option, str]],
        relaxed: Iterable[str] = (),
    ) -> Choice:
        """The choice of an option at the hour that was used least lately."""
        at, why = quietest(self.times, self.recent, self.settings.cadence)
        return self.choice_at(option, at, (*rules, why), runners_up, relaxed)

    def choice_at(
        self,
        option: Option,
        at: datetime,
        rules: Iterable[str],
        runners_up: Iterable[tuple[Option, str]],
        relaxed: Iterable[str] = (),
    ) -> Choice:
        """The choice of an option and a time, with what holds for every choice here."""
        given_up = (*self.listed.relaxed, *relaxed)
        return Choice(option, at, (*rules, *self.rules), given_up, (*runners_up, *self._kept_out(option)))

    def _kept_out(self, chosen: Option) -> list[tuple[Option, str]]:
        """The best of those that the rules about clusters keep out, if it is better than the chosen one."""
        barred = self.listed.barred
        if barred is None or barred.worth <= chosen.worth or barred.kept == chosen.kept:
            return []
        said = "one of its clusters was posted too lately, or has had its posts of this week"
        return [(barred, f"{barred.rated.capitalize()}, but {said}.")]


def stage(options: Sequence[Option], past: Sequence[Past], now: datetime, settings: Settings) -> Stage | None:
    """Where a choice is made; None where there is no picture or no time."""
    cadence = settings.cadence
    times = free_times(now, [post.at for post in past], cadence, settings.slots)
    if not times:
        return None
    day = local_day(times[0], cadence.zone)
    current = tuple(plan for plan in settings.plans if plan.current(day))
    closed = {plan.key for plan in settings.plans} - {plan.key for plan in current}
    settings = replace(settings, plans=current)
    listed = shortlist(options, {post.kept for post in past}, _blocked(times[0], past, cadence), closed)
    if not listed.options:
        return None
    rules = (_of_time(times[0], past, settings), *_of_clusters(listed, cadence))
    return Stage(times, listed, past, settings, rules)


def best(options: Iterable[Option]) -> Option:
    """The highest rated; of two alike, the one that was kept first."""
    return max(options, key=lambda option: (option.worth, -option.kept))


def highest(among: str, option: Option) -> str:
    """That it is the best, as a sentence."""
    if option.rating is None:
        return f"Nobody voted on any {among}: it was kept first."
    return f"The highest rated {among}: {option.rating:.2f}."


def rotated(stage: Stage, leave_out: Collection[int] = ()) -> Plan | None:
    """The pillar that rotation takes; None where no pillar has pictures."""
    return next_pillar([plan for plan in stage.plans if plan.key not in leave_out], stage.shares)


def turn(plan: Plan, shares: Mapping[int, float]) -> str:
    """How far a pillar is with its turns, as a sentence."""
    had = f"had {shares.get(plan.key, 0.0):.0%} of the last {SHARES_OF.days} days' posts"
    return f"The pillar {plan.name} {had}, and its weight is {plan.weight}%."


def lower(option: Option, chosen: Option) -> tuple[Option, str]:
    """A runner-up that is rated lower."""
    if option.rating is None or chosen.rating is None:
        return option, "Nobody voted on it." if chosen.rating is not None else "Nobody voted on it either; kept later."
    mine, its = f"{option.rating:.2f}", f"{chosen.rating:.2f}"
    if option.rating == chosen.rating:
        return option, f"Rated {mine} as well, but kept later."
    return option, f"Rated {mine} as well, by a hair below." if mine == its else f"Rated {mine}, below {its}."


def second(options: Iterable[Option], chosen: Option) -> list[tuple[Option, str]]:
    """The next highest rated beside the chosen one, if there is another picture."""
    others = [option for option in options if option.kept != chosen.kept]
    return [lower(best(others), chosen)] if others else []


def quietest(times: Sequence[datetime], recent: Sequence[Past], cadence: Cadence) -> tuple[datetime, str]:
    """Of a day's times, the one at whose hour the fewest recent posts went out; of several the nearest to noon."""
    counts = Counter(local(post.at, cadence.zone).hour for post in recent)
    hours = {at: local(at, cadence.zone).hour for at in times}
    chosen = min(times, key=lambda at: (counts[hours[at]], abs(hours[at] - _NOON), at))
    hour = local(chosen, cadence.zone)
    if len(times) == 1:
        return chosen, f"{hour:%H:%M} is the only time left that day."
    return chosen, f"{hour:%H:%M} is the hour used least in the last {SHARES_OF.days} days: {counts[hour.hour]} times."


def _blocked(at: datetime, past: Sequence[Past], cadence: Cadence) -> dict[Rule, frozenset[int]]:
    """The clusters that each rule keeps out."""
    uses = [(post.at, post.clusters) for post in past]
    return {Rule.MOST: used_up(at, uses, cadence), Rule.REST: resting(at, uses, cadence)}


def _of_time(at: datetime, past: Sequence[Past], settings: Settings) -> str:
    """How the day was found, as a sentence."""
    cadence = settings.cadence
    hours = "with a slot" if settings.slots else "with a best hour"
    apart = "an hour" if cadence.hours_apart == 1 else f"{cadence.hours_apart:g} hours"
    day = f"{local(at, cadence.zone):%A} is the first day {hours} at least {apart} from any other"
    lacks = wanting(at, (post.at for post in past if abs(post.at - at).days < 8), cadence)
    return f"{day} post; its week {f'lacks {lacks} of its' if lacks else 'has its'} {cadence.at_least} posts."


def _of_clusters(listed: Shortlist, cadence: Cadence) -> list[str]:
    """What the rules about clusters did, as sentences."""
    told = {
        Rule.MOST: f"at most {cadence.cluster_most} posts of a cluster a week",
        Rule.REST: f"{cadence.days_between} days before a cluster repeats",
    }
    said = [f"Given up, because nothing else was left: {told[rule]}." for rule in listed.relaxed]
    kept = " and ".join(text for rule, text in told.items() if rule not in listed.relaxed)
    return [*said, f"Some pictures were kept out: {kept}."] if listed.barred else said
