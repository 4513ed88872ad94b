"""A turn of the wheel: everything up to the next gate, where a person decides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zoetrope.engines.local.engine import LocalEngine
from zoetrope.training.run import Watcher
from zoetrope.wheel import events as ev
from zoetrope.wheel.card import draw_card
from zoetrope.wheel.state import Decision, State
from zoetrope.wheel.synthesize import COUNT, synthesize
from zoetrope.wheel.teach import learned, teach
from zoetrope.wheel.workspace import Workspace

# How far a measure may fall from its best before the wheel stops.
_DRIFT: Mapping[str, float] = {"passing": 0.1, "adherence": 0.1, "likeness": 0.05, "diversity": 0.05}

OnDone = Callable[[int, int], None]


@dataclass
class Turned:
    """What a turn did, and what it waits for now."""

    round: int
    waits_for: str = ""
    done: list[str] = field(default_factory=list)
    alarm: str = ""
    # Its page in a browser. Not in `done`, which the studio tells people who have no business with a server's folders.
    card: str = ""


def turn(
    workspace: Workspace,
    engine: LocalEngine,
    watcher: Watcher,
    settings: Mapping[str, object] | None = None,
    count: int = COUNT,
    on_stage: Callable[[str], OnDone] = lambda name: lambda done, total: None,
    anyway: bool = False,
) -> Turned:
    """Go on with the round at work; say what was done and what is now up to a person.

    After an alarm it goes on only `anyway`.
    """
    workspace.take_in_edits()
    state = workspace.state()
    turned = Turned(state.round)
    verdict = state.closed.get(state.round - 1, "done")
    if verdict != "done" and not anyway:
        turned.alarm, turned.waits_for = (
            verdict,
            f"you: look at the cards, then zoetrope turn {workspace.name} --anyway",
        )
        return turned
    turned.waits_for = gate(workspace, state)
    if turned.waits_for:
        return turned
    if state.round in state.synthesized:
        if not anyway and not _news(workspace, state):
            turned.waits_for = (
                f"something new to learn, or the next version would be the last one again: keep some of what was "
                f"drawn (zoetrope review {workspace.name}), add sources, or zoetrope turn {workspace.name} --anyway"
            )
            return turned
        turned.alarm = close(workspace, state)
        turned.done.append(f"round {state.round} closed")
        if turned.alarm:
            turned.waits_for = f"you: look at the cards, then zoetrope turn {workspace.name} --anyway"
            return turned
        state = workspace.state()
        turned.round = state.round
    _go_round(workspace, state, engine, watcher, settings or {}, count, on_stage, turned)
    state = workspace.state()
    turned.waits_for = gate(workspace, state) or "nothing: turn again for the next round"
    return turned


def gate(workspace: Workspace, state: State) -> str:
    """What a person has to do before the wheel can turn; empty when it can."""
    name = workspace.name
    if not state.pictures:
        return f"sources: zoetrope persona add {name} PICTURES"
    bare = [entry for entry in state.pictures.values() if not entry.caption and entry.decision is not Decision.rejected]
    if bare:
        return f"captions of {len(bare)} pictures: zoetrope caption {name}"
    waiting = state.of(Decision.waiting)
    if waiting:
        return f"the review of {len(waiting)} pictures: zoetrope review {name}"
    if not state.of(Decision.kept):
        return f"pictures to learn from, as none was kept: zoetrope review {name}"
    return ""


def _news(workspace: Workspace, state: State) -> bool:
    """Whether other pictures or words are kept than the round at work learned from."""
    return {entry.sha256: entry.caption for entry in state.of(Decision.kept)} != learned(workspace, state.round)


def close(workspace: Workspace, state: State) -> str:
    """End the round at work; an alarm if its card is worse than an earlier one's."""
    alarm = drift(state.cards, state.round)
    workspace.record([ev.Closed(round=state.round, verdict=alarm or "done")])
    return alarm


def drift(cards: Mapping[int, Mapping[str, float]], number: int) -> str:
    """The measure that fell too far below its best of the rounds before; empty when none did."""
    now = cards.get(number, {})
    for name, most in _DRIFT.items():
        earlier = [card[name] for other, card in cards.items() if other < number and name in card]
        if earlier and name in now and now[name] < max(earlier) - most:
            return f"{name} fell from {max(earlier):.2f} to {now[name]:.2f}"
    return ""


def _go_round(
    workspace: Workspace,
    state: State,
    engine: LocalEngine,
    watcher: Watcher,
    settings: Mapping[str, object],
    count: int,
    on_stage: Callable[[str], OnDone],
    turned: Turned,
) -> None:
    if state.round not in state.trained:
        sheet: dict[str, Any] = teach(workspace, settings, watcher)
        turned.done.append(f"trained {sheet['file']}")
    if state.round not in state.cards:
        card = draw_card(workspace, engine, on_stage("card"))
        turned.card = card["page"]
        turned.done.append("drew the card")
    filtered = synthesize(workspace, engine, count, on_stage("new scenes"))
    turned.done.append(f"drew {filtered.drawn} new scenes, of which {filtered.added} pass")
