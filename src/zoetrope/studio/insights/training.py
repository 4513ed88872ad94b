"""The best pictures of a persona come back to its wheel: proposed, taken by a person, and given back while they can be.

What is taken in is one of the workspace's synthetic pictures, as if a turn had drawn it: stored with its recipe, a
generation further from the sources than what its version learned from, and kept at once, as a person has looked at it
already. So the wheel itself holds down the share of such pictures, weighs them by their generation and watches for
drift. What was taken in is one step of the workspace's record, which its own undo takes back too.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from numpy.typing import NDArray

from zoetrope.errors import UserError
from zoetrope.media.decode import Limits, open_picture
from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited
from zoetrope.media.hashing import hash_bytes
from zoetrope.media.kinds import MediaKind
from zoetrope.studio.insights.models import Proposal
from zoetrope.studio.insights.outcomes import outcomes
from zoetrope.studio.insights.sums import standings
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.library.models import Kept
from zoetrope.studio.loras.models import Lora
from zoetrope.studio.making.models import MadeLora
from zoetrope.studio.making.store import path_of
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import mirror, workspace_of
from zoetrope.studio.pipelines.models import IllegalMove
from zoetrope.studio.planning.models import Use
from zoetrope.studio.spaces.models import User
from zoetrope.studio.workshop.tasks import KIND as TURN
from zoetrope.wheel import events as ev
from zoetrope.wheel.alike import COPY
from zoetrope.wheel.captions import lacks_trigger
from zoetrope.wheel.quality import picture_hash
from zoetrope.wheel.state import Decision, State
from zoetrope.wheel.words import on_one_line
from zoetrope.wheel.workspace import Workspace

MOST = 12
"""So many wait for a person at most."""
SHARE = 0.2
"""Of what a turn is shown: for pages, the wheel's own `SYNTHETIC_SHARE`, whose module loads torch."""
# Of more pictures the best are found among the newest.
_LOOKED = 2000
# What nobody has said anything of stands in the middle: that speaks neither for it nor against it.
_MIDDLE = 0.5
_CONSENTS = frozenset({"granted", "fictional"})
Look = NDArray[np.uint8]
T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class Winner:
    """A picture that could be learned from, and where it stands among the others, where that is known."""

    kept: Kept
    lora: Lora
    post: int | None
    taste: float | None
    audience: float | None

    @property
    def worth(self) -> float:
        """Both rewards count the same."""
        known = [_MIDDLE if each is None else each for each in (self.taste, self.audience)]
        return sum(known) / len(known)


def propose(persona: Persona, check: Callable[[], None] = lambda: None) -> list[Proposal]:
    """Propose the best that the workspace has not, each once, and nothing like one before; those that are new."""
    if not consented(persona):
        return []
    workspace = workspace_of(persona)
    room = MOST - Proposal.objects.filter(persona=persona, state=Proposal.State.PROPOSED).count()
    known = set(Proposal.objects.filter(persona=persona).values_list("made", flat=True))
    held = workspace.state().pictures
    looks = [*_looks_of(workspace, check), *_looks(Proposal.objects.filter(persona=persona))]
    found: list[Proposal] = []
    for each in winners(persona):
        if len(found) >= room or each.worth <= _MIDDLE:
            break
        if each.kept.made_id in known or each.kept.made.sha256 in held:
            continue
        check()
        look = _look(each.kept.made.sha256, each.kept)
        if look is None or any(_alike(look, other) for other in looks):
            continue
        looks.append(look)
        found.append(_proposed(persona, each))
    return found


def winners(persona: Persona) -> list[Winner]:
    """The persona's pictures that its own LoRA drew and of which something is known, the best first."""
    seen = outcomes(persona)
    audience = _standing([(each.post, each.audience) for each in seen.rows])
    loras = {each.sha256: each for each in Lora.objects.filter(space=persona.space_id, persona=persona)}
    rows = Kept.objects.filter(space=persona.space_id, aside=None, made__persona=persona, made__recipe__isnull=False)
    rows = rows.filter(made__loras__sha256__in=list(loras)).distinct().order_by("-pk")
    kept = list(rows.select_related("made", "run__winner").defer("words")[:_LOOKED])
    own = {made: loras[sha] for made, sha in _own(kept, list(loras))}
    posts = dict(Use.objects.filter(kept__in=kept, posted=True).values_list("made", "post"))
    voted = _standing([(each, _utility(each)) for each in kept])
    found = []
    for each in kept:
        post = posts.get(each.made_id)
        found.append(Winner(each, own[each.made_id], post, voted.get(each), audience.get(post or 0)))
    known = [each for each in found if (each.taste, each.audience) != (None, None)]
    return sorted(known, key=lambda each: (-each.worth, each.kept.pk))


def consented(persona: Persona) -> bool:
    """Whether somebody recorded that it may be drawn, as its workspace tells it now."""
    return mirror(persona).consent.get("kind") in _CONSENTS


def accept(proposal: Proposal, by: User) -> Proposal:
    """It is among the synthetic pictures that the next turn learns from."""
    persona = proposal.persona
    if not consented(persona):
        raise UserError(f"No consent is recorded for {persona}: nothing of it is learned from.")
    _check_own(proposal)
    workspace = workspace_of(persona)
    data, caption = _bytes(proposal), caption_of(workspace, proposal)
    with workspace.locked():
        state = workspace.state()
        _check_new(proposal, state)
        with transaction.atomic():
            _moved(proposal, Proposal.State.ACCEPTED, by, round=state.round)
            # The row waits for the files: where they cannot be written, it says so still.
            _take_in(workspace, proposal, data, caption, by.username)
    return proposal


def decline(proposal: Proposal, by: User) -> Proposal:
    """It is not learned from, and not proposed again by itself."""
    return _moved(proposal, Proposal.State.DECLINED, by)


def take_back(proposal: Proposal, by: User) -> Proposal:
    """A proposal again; what was taken into the workspace leaves it, unless a version has learned from it by then."""
    if proposal.state == Proposal.State.ACCEPTED:
        workspace = workspace_of(proposal.persona)
        with workspace.locked():
            if not reversible(proposal, workspace.state()):
                raise UserError("A version has learned from it, or is learning just now: it cannot be taken back.")
            with transaction.atomic():
                _moved(proposal, Proposal.State.PROPOSED, by, round=None)
                _leave(workspace, proposal.made.sha256)
        return proposal
    return _moved(proposal, Proposal.State.PROPOSED, by)


ACTS = {"accept": accept, "decline": decline, "take-back": take_back}


def reversible(proposal: Proposal, state: State) -> bool:
    """Whether no training has begun that it is in."""
    done = proposal.round in state.trained or proposal.round in state.closed
    turns = jobs.Job.objects.filter(kind=TURN, args__persona=proposal.persona_id)
    return not done and not turns.exclude(state__in=jobs.ENDED).exists()


def generation(proposal: Proposal, state: State) -> tuple[int, int]:
    """The round whose version drew it, and how many models lie between it and the sources.

    A version learned from what rounds before its own had brought; of one that the workspace does not know, everything.
    """
    drew = next((each.round for each in state.versions if each.sha256 == proposal.lora_sha256), None)
    kept = state.of(Decision.kept)
    learned = [each.depth for each in kept if drew is None or each.round < drew]
    return state.round if drew is None else drew, 1 + max(learned, default=0)


def caption_of(workspace: Workspace, proposal: Proposal) -> str:
    """What it was asked for, in words that name the persona by its trigger."""
    prompt = on_one_line(proposal.made.said_recipe.prompt)
    who = workspace.persona
    return on_one_line(f"{who.trigger}, {prompt}") if lacks_trigger(who, prompt) else prompt


def _check_own(proposal: Proposal) -> None:
    """A picture that this persona's LoRA drew, and that says how; the row may have changed since it was proposed."""
    made, persona = proposal.made, proposal.persona
    if made.media != MediaKind.image:
        raise UserError("This is a clip, and the wheel learns from pictures; nothing was added.")
    if made.persona_id != persona.pk:
        raise UserError(f"This is no picture of {persona}'s own; nothing was added.")
    if made.recipe is None:
        raise UserError("Nobody knows how this picture was made; nothing was added.")


def _check_new(proposal: Proposal, state: State) -> None:
    """Nothing is learned twice, nor from two that look the same."""
    there = state.pictures.get(proposal.made.sha256)
    if there is not None:
        raise UserError(f"The workspace has this picture already, {there.decision}; nothing was added.")
    taken = Proposal.objects.filter(persona=proposal.persona_id, state=Proposal.State.ACCEPTED).exclude(pk=proposal.pk)
    looks = _looks(taken.filter(made__sha256__in=list(state.pictures)))
    mine = _look(proposal.made.sha256, proposal.kept) if looks else None
    if mine is not None and any(_alike(mine, other) for other in looks):
        raise UserError("A picture that looks nearly the same was taken in before; nothing was added.")


def _take_in(workspace: Workspace, proposal: Proposal, data: bytes, caption: str, by: str) -> None:
    """As the wheel keeps what a turn drew; call it with the workspace's lock held."""
    number, depth = generation(proposal, workspace.state())
    sha256, file = workspace.store(data, proposal.made.said_recipe.to_json())
    added = ev.Added(sha256=sha256, file=file, origin=ev.Origin.synthetic, depth=depth, round=number)
    words = ev.Captioned(sha256=sha256, text=caption, by="recipe")
    workspace.record([added, words, ev.Kept(sha256=sha256, by=by)])
    workspace.write_captions()


def _bytes(proposal: Proposal) -> bytes:
    try:
        data = read_limited(path_of(proposal.made.sha256), Limits().max_bytes)
    except (OSError, MediaError) as error:
        raise UserError("The picture's file cannot be read; nothing was added.") from error
    if hash_bytes(data) != proposal.made.sha256:
        raise UserError("The picture's file was altered since it was drawn; nothing was added.")
    return data


def _leave(workspace: Workspace, sha256: str) -> None:
    """Undo the steps that were about it alone, the last first; a person may have done so in the workshop already."""
    events = workspace.log.known()
    undone = {event.target for event in events if isinstance(event, ev.Undone)}
    about: dict[int, set[str]] = defaultdict(set)
    for event in events:
        if isinstance(event, ev.Added | ev.Captioned | ev.Kept) and event.batch not in undone:
            about[event.batch].add(event.sha256)
    for batch in sorted((batch for batch, some in about.items() if some == {sha256}), reverse=True):
        workspace.undo(batch)


def _proposed(persona: Persona, winner: Winner) -> Proposal:
    said: dict[str, Any] = {"kept": winner.kept, "post_id": winner.post, "taste": winner.taste}
    said |= {"audience": winner.audience, "lora": str(winner.lora), "lora_sha256": winner.lora.sha256}
    return Proposal.objects.get_or_create(persona=persona, made=winner.kept.made, defaults=said)[0]


def _own(kept: Sequence[Kept], loras: list[str]) -> list[tuple[int, str]]:
    rows = MadeLora.objects.filter(made__in=[each.made_id for each in kept], sha256__in=loras)
    return list(rows.order_by("weight").values_list("made", "sha256"))


def _standing(rows: Sequence[tuple[T, float | None]]) -> dict[T, float]:
    """Where those stand of which the value is known."""
    known = [(each, value) for each, value in rows if value is not None]
    return dict(zip([each for each, _ in known], standings([value for _, value in known]), strict=True))


def _utility(kept: Kept) -> float | None:
    """What votes made of it; none where nobody voted."""
    winner = kept.run.winner if kept.run else None
    return winner.utility if winner is not None and winner.deviation is not None else None


def _looks_of(workspace: Workspace, check: Callable[[], None]) -> list[Look]:
    """What the workspace's pictures look like, but for refused ones."""
    found = []
    for entry in workspace.state().pictures.values():
        check()
        if entry.decision is not Decision.rejected:
            try:
                found.append(np.packbits(picture_hash(open_picture(workspace.path(entry)).image)))
            except (OSError, MediaError):
                continue
    return found


def _looks(rows: "QuerySet[Proposal]") -> list[Look]:
    """What these pictures look like, as far as that is known or can be seen."""
    told = rows.select_related("made", "kept").defer("made__recipe", "kept__words")
    found = (_look(each.made.sha256, each.kept) for each in told)
    return [each for each in found if each is not None]


def _look(sha256: str, kept: Kept | None) -> Look | None:
    if kept is None or kept.look is None:
        try:
            return np.packbits(picture_hash(open_picture(path_of(sha256)).image))
        except (OSError, MediaError):
            return None
    return np.frombuffer(bytes(kept.look), np.uint8)


def _alike(one: Look, other: Look) -> bool:
    return int(np.bitwise_count(one ^ other).sum()) <= COPY * 8 * len(one)


def _moved(proposal: Proposal, to: Proposal.State, by: User, **values: object) -> Proposal:
    try:
        return proposal.move(to, by=by, at=timezone.now(), **values)
    except IllegalMove as error:
        raise UserError(f"It is {proposal.state} by now; nothing was changed.") from error
