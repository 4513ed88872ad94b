"""Clusters that there could be: asked for by a person, found by a job, and taken or not."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.library.models import Kept
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning import clusters
from zoetrope.studio.planning.clustering import MOST_GROUPS, Rows, Suggestion, grouped, named, suggested, telling
from zoetrope.studio.planning.looking import looker_of, vectors
from zoetrope.studio.planning.models import Cluster, Grouping, Proposal
from zoetrope.studio.spaces.models import User
from zoetrope.studio.spaces.work import scope_of

KIND = "cluster"
MOST_PICTURES = 50_000
SHOWN = 8
_LEAST = 4
# Below this, groups lie in each other rather than apart.
_CLEAR = 0.1


def ask(persona: Persona, by: User | None, wanted: int | None = None, *, loose: bool = False) -> Grouping:
    """Have groups looked for, so many or as many as there seem to be; what was proposed before is forgotten."""
    if wanted is not None and not 2 <= wanted <= MOST_GROUPS:
        raise UserError(f"Ask for 2 to {MOST_GROUPS} groups, or say no number.")
    with transaction.atomic():
        Persona.objects.select_for_update().get(pk=persona.pk)
        before = newest(persona)
        if before is not None and under_way(before):
            raise UserError(f"Groups of {persona}'s pictures are being looked for already: wait for them.")
        if _pictures(persona, loose)[:_LEAST].count() < _LEAST:
            which = "that lie in no cluster" if loose else "in the library"
            raise UserError(f"It takes at least {_LEAST} pictures of {persona} {which} to find groups.")
        Grouping.objects.filter(persona=persona).delete()
        found = Grouping.objects.create(space=persona.space, persona=persona, by=by, wanted=wanted, loose=loose)
        title = f"Groups of {persona}'s pictures"
        jobs.enqueue(KIND, found.key, {"grouping": found.pk}, scope=scope_of(persona.space), title=title[:200])
    return found


def newest(persona: Persona) -> Grouping | None:
    """What was asked for last."""
    return Grouping.objects.filter(persona=persona).first()


def job_of(grouping: Grouping) -> jobs.Job | None:
    """How its job stands, as long as that is remembered."""
    return jobs.Job.objects.filter(key=grouping.key).first()


def under_way(grouping: Grouping) -> bool:
    """Whether its job will still bring something."""
    job = job_of(grouping) if grouping.done is None else None
    return job is not None and job.state not in jobs.ENDED


def find(work: jobs.Work, grouping: int) -> None:
    """The job: look at every picture, group what looks alike, name each group by its words."""
    row = Grouping.objects.select_related("persona__space").filter(pk=grouping).first()
    if row is None:
        return
    pictures = list(_pictures(row.persona, row.loose).values_list("pk", "made__sha256", "words")[:MOST_PICTURES])
    looker = looker_of(row.persona, work)
    known = vectors(work, looker, [sha256 for _, sha256, _ in pictures])
    seen = [each for each in pictures if each[1] in known]
    if len(seen) < _LEAST:
        raise UserError(f"Of {len(pictures)} pictures {len(seen)} can be read: it takes {_LEAST} to find groups.")
    rows = np.stack([known[sha256] for _, sha256, _ in seen])
    work.progress("grouping", 0, 1)
    suggestion = suggested(rows) if row.wanted is None else None
    groups = grouped(rows, suggestion.count if suggestion else row.wanted or 1)
    work.check()
    words = telling([_caption(said) for _, _, said in seen], groups)
    found = zip(named(words), words, groups, strict=True)
    proposals = [
        _proposal(row, place, name, told, [seen[at][0] for at in group.members])
        for place, (name, told, group) in enumerate(found, start=1)
    ]
    _write(row, proposals, {"pictures": len(seen), "looked": looker.told, "why": _why(suggestion, rows)})
    work.progress("grouping", 1, 1)


def _proposal(row: Grouping, place: int, name: str, words: list[str], members: list[int]) -> Proposal:
    shown = {"count": len(members), "typical": members[:SHOWN]}
    return Proposal(grouping=row, place=place, name=name, words=words, members=members, **shown)


def _write(row: Grouping, proposals: list[Proposal], values: Mapping[str, Any]) -> None:
    with transaction.atomic():
        # Told twice it is the same; of one that was forgotten meanwhile nothing is kept.
        row.proposals.all().delete()
        if Grouping.objects.filter(pk=row.pk).update(done=timezone.now(), **values):
            Proposal.objects.bulk_create(proposals)


def _why(suggestion: Suggestion | None, rows: Rows) -> str:
    if suggestion is None:
        return "So many were asked for."
    said = f"Of 2 to {min(MOST_GROUPS, len(rows) // 2)} groups these lie farthest apart"
    doubt = "" if suggestion.apart >= _CLEAR else ", yet not clearly: the pictures are much alike"
    return f"{said} for how wide they are (silhouette {suggestion.apart:.2f}){doubt}."


def _pictures(persona: Persona, loose: bool) -> "QuerySet[Kept]":
    rows = Kept.objects.filter(space=persona.space, made__persona=persona, aside=None)
    if loose:
        live = clusters.Placed.objects.filter(kept=OuterRef("pk"), cluster__gone=None, cluster__persona=persona)
        rows = rows.filter(~Exists(live))
    return rows


def _caption(words: str) -> str:
    """Of what a picture is found by, what is on it: its prompt or caption stands first."""
    return words.partition("\n")[0]


def take(proposal: Proposal, name: str) -> Cluster:
    """Make it a cluster of its own, with all its pictures that are still there."""
    persona = proposal.grouping.persona
    with transaction.atomic():
        row = Proposal.objects.select_for_update().get(pk=proposal.pk)
        if row.taken_id is not None:
            raise UserError(f"{row} is a cluster already.")
        cluster = clusters.add(persona, name or row.name)
        there = Kept.objects.filter(space=persona.space_id, made__persona=persona).values_list("pk", flat=True)
        clusters.fill(cluster, set(row.members).intersection(there))
        Proposal.objects.filter(pk=row.pk).update(taken=cluster)
    return cluster


def dismiss(grouping: Grouping) -> None:
    """Forget what was proposed; clusters that were taken stay."""
    job = job_of(grouping)
    with transaction.atomic():
        if job is not None and job.state not in jobs.ENDED:
            transaction.on_commit(partial(_cancel, job), robust=True)
        grouping.delete()


def _cancel(job: jobs.Job) -> None:
    job.refresh_from_db()
    if job.state not in jobs.ENDED:
        jobs.cancel(job)


def shown(grouping: Grouping) -> list[tuple[Proposal, list[Kept]]]:
    """What was proposed, each with its most typical pictures."""
    proposals = list(grouping.proposals.defer("members").select_related("taken"))
    keys = {key for each in proposals for key in each.typical}
    known = Kept.objects.select_related("made").defer("words", "look", "made__recipe").in_bulk(keys)
    return [(each, [known[key] for key in each.typical if key in known]) for each in proposals]
