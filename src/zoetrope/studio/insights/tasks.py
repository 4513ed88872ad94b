"""Readings that are due become jobs; once there are enough more of them, a job goes through what they teach."""

from datetime import timedelta

from django.utils import timezone

from zoetrope.studio.insights import fetching, learnings, readings, training
from zoetrope.studio.insights.models import Reading
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.work import scope_of

FETCH, LEARN, PICK = "insights", "learn-from-posts", "pick-winners"
_A_DAY = timedelta(days=1)


def look() -> None:
    """Hand in a job for each reading that is due."""
    now = timezone.now()
    readings.plan(now)
    for reading in readings.due(now):
        # Whoever was killed while asking has counted a try: then it is another job.
        key, title = f"{FETCH}-{reading.pk}-{reading.tries}", f"Numbers of {reading.post}"[:200]
        job = jobs.enqueue(FETCH, key, {"reading": reading.pk}, scope=scope_of(reading.post.space), title=title)
        if job.state in jobs.ENDED:
            # It ended before it counted its try: another one follows, after a while.
            readings.put_off(reading, now)


def fetch(work: jobs.Work, reading: int) -> None:
    """The job: ask for one reading, and learn from all of them when there are enough more."""
    row = Reading.objects.select_related("post__persona__space").filter(pk=reading).first()
    if row is None:
        return
    work.log(fetching.fetch(reading, timezone.now()))
    ask_to_learn(row.post.persona)


def ask_to_learn(persona: Persona) -> bool:
    """Hand in the next look, if it is due."""
    if learnings.due(persona) is None:
        return False
    failed = jobs.Job.objects.filter(kind=LEARN, args__persona=persona.pk, state=jobs.State.FAILED)
    # Every number that comes asks again: what is at fault is tried once a day, and whenever a person says so.
    if not failed.filter(finished__gt=timezone.now() - _A_DAY).exists():
        title = f"What {persona}'s posts teach"
        jobs.ask(LEARN, f"{LEARN}-{persona.pk}", {"persona": persona.pk}, scope=scope_of(persona.space), title=title)
    return True


def learn(work: jobs.Work, persona: int) -> None:
    """The job: go through all numbers of a persona, and propose what is hardly chance."""
    found = learnings.look(Persona.objects.select_related("space").get(pk=persona))
    work.log("It is too early." if found is None else f"{found.asked} differences looked at.")


def ask_for_winners(persona: Persona) -> jobs.Job:
    """Hand in a search for training pictures; asked for twice meanwhile, it is the same."""
    said, title = {"persona": persona.pk}, f"Training pictures for {persona}"
    return jobs.ask(PICK, f"{PICK}-{persona.pk}", said, scope=scope_of(persona.space), title=title)


def looking(persona: Persona) -> jobs.Job | None:
    """A search that is not over."""
    return jobs.Job.objects.filter(kind=PICK, args__persona=persona.pk).exclude(state__in=jobs.ENDED).first()


def pick(work: jobs.Work, persona: int) -> None:
    """The job: propose the best pictures that the wheel has not."""
    new = training.propose(Persona.objects.select_related("space").get(pk=persona), work.check)
    work.log(f"{len(new)} proposed.")
