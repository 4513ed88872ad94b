"""Ideas for the thinnest pillars: asked for, written by the space's writer, taken or not by a person."""

from secrets import randbelow
from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import transaction

from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.pipelines.models import IllegalMove, Run
from zoetrope.studio.pipelines.variables import PROMPT
from zoetrope.studio.planning.models import Idea, Pillar
from zoetrope.studio.planning.standing import thinnest
from zoetrope.studio.spaces.models import User
from zoetrope.studio.spaces.work import scope_of

if TYPE_CHECKING:
    from zoetrope.studio.writing.seam import Writer

KIND = "ideas"
THINNEST = 3
MOST_PENDING = 60
_RECENT = 20
_LONGEST = 2000
_SEEDS = 2**31


def ask(persona: Persona) -> jobs.Job:
    """Have one idea written for each of the thinnest pillars."""
    with transaction.atomic():
        Persona.objects.select_for_update().get(pk=persona.pk)
        if under_way(persona) is not None:
            raise UserError(f"Ideas for {persona} are being written already: wait for them.")
        if Idea.objects.filter(persona=persona, state=Idea.State.PENDING).count() >= MOST_PENDING:
            raise UserError(f"{MOST_PENDING} ideas wait already: take or reject some first.")
        if not thinnest(persona, THINNEST):
            raise UserError(f"{persona} has no pillar today that an idea could be for: add one first.")
        key = f"{KIND}-{uuid4().hex[:16]}"
        scope = scope_of(persona.space)
        return jobs.enqueue(KIND, key, {"persona": persona.pk}, scope=scope, title=f"Ideas for {persona}"[:200])


def under_way(persona: Persona) -> jobs.Job | None:
    """The job that writes some now."""
    going = [state for state in jobs.State if state not in jobs.ENDED]
    mine = jobs.Job.objects.filter(scope=scope_of(persona.space), state__in=going, kind=KIND)
    return mine.filter(args__persona=persona.pk).first()


def write(work: jobs.Work, persona: int) -> None:
    """The job: an idea for each of the thinnest pillars, thinnest first, unlike what was drawn lately."""
    row = Persona.objects.select_related("space").filter(pk=persona).first()
    if row is None:
        return
    thin = [pillar for pillar, _, _ in thinnest(row, THINNEST)]
    writer = _writer(row)
    for done, pillar in enumerate(thin):
        work.check()
        work.progress("writing", done, len(thin))
        if not Idea.objects.filter(job=work.key, pillar=pillar).exists():
            _written(pillar, writer, 1, work.key)
    work.progress("writing", len(thin), len(thin))


def at_once(pillar: Pillar, count: int) -> list[Idea]:
    """So many, by the writer that needs no server: nobody waits for it."""
    from zoetrope.studio.writing.writers.template import TemplateWriter

    return _written(pillar, TemplateWriter(randbelow(_SEEDS)), count)


def moved(idea: Idea, to: str) -> None:
    """To another state, or a sentence on why not."""
    try:
        idea.move(to)
    except IllegalMove as error:
        raise UserError(f"{idea} is {idea.state} by now; nothing was changed.") from error


def reword(idea: Idea, prompt: str, by: User | None) -> None:
    """Another prompt than was written; whoever changed it is told with it."""
    prompt = prompt.strip()
    if prompt == idea.prompt:
        return
    if not 0 < len(prompt) <= _LONGEST:
        raise UserError(f"A prompt has 1 to {_LONGEST} characters.")
    if idea.state != Idea.State.PENDING:
        raise UserError(f"{idea} is {idea.state} by now; nothing was changed.")
    idea.prompt, idea.by = prompt, f"{idea.by.partition(', changed by ')[0]}, changed by {by}"[:120]
    idea.save(update_fields=["prompt", "by"])


def recent_prompts(persona: Persona) -> list[str]:
    """What was drawn or thought of last, the newest first."""
    thought = Idea.objects.filter(persona=persona).values_list("prompt", flat=True)[:_RECENT]
    said = Run.objects.filter(persona=persona).values_list("variables", flat=True)[:_RECENT]
    drawn = [str(each.get(PROMPT, "")) for each in said]
    return list(dict.fromkeys(text for text in (*thought, *drawn) if text))


def _written(pillar: Pillar, writer: "Writer", count: int, job: str = "") -> list[Idea]:
    from zoetrope.studio.writing.seam import IdeaBrief

    persona = pillar.persona
    brief = IdeaBrief(
        persona=persona.trigger,
        voice=persona.said_voice,
        looks=workspace_of(persona).persona.looks,
        pillar=pillar.name,
        guidelines=pillar.guidelines,
        recent_prompts=tuple(recent_prompts(persona)),
        count=count,
        base_model=persona.base,
    )
    about = {"space_id": pillar.space_id, "persona_id": pillar.persona_id, "pillar": pillar, "job": job}
    return [
        Idea.objects.create(
            title=each.title[:120],
            description=each.description[:_LONGEST],
            prompt=each.prompt[:_LONGEST],
            by=each.by[:120],
            **about,
        )
        for each in writer.ideas(brief)[:count]
    ]


def _writer(persona: Persona) -> "Writer":
    from zoetrope.studio.writing.keeping import writer_of

    return writer_of(persona.space, seed=randbelow(_SEEDS))
