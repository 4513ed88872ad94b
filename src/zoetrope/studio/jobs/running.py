"""A worker's life between start and stop: its beat, its watch over what is in hand, its upkeep."""

import logging
import os
import threading
import time
from collections.abc import Callable

from django.db import close_old_connections, connections

from zoetrope.studio.jobs import chores, engine, upkeep
from zoetrope.studio.jobs.carrying import Carrier, put_back
from zoetrope.studio.jobs.kinds import Queue
from zoetrope.studio.jobs.models import CARRIED, Job, Worker

TICK_SECONDS = 2.0
WATCH_SECONDS = 0.2
SWEEP_SECONDS = 300.0
# At the start what the worker before had in hand is first marked as lost, and swept up a little later.
SECOND_SWEEP_SECONDS = 10.0
FORGET_SECONDS = 3600.0
STOP_SECONDS = 6

logger = logging.getLogger(__name__)


class Running:
    """One worker."""

    def __init__(self, name: str, device: str, queues: list[Queue]) -> None:
        self.name = name
        self._device = device
        self._queues = queues
        self._carrier = Carrier(name)
        self._reaper = upkeep.Reaper(name)
        self._last_beat = time.monotonic()
        self._next_sweep = self._next_forget = 0.0
        self._chores = chores.Clock()

    def start(self) -> None:
        """Have a row first and work only then, or others would take us for dead."""
        upkeep.beat(self.name, self._device)
        engine.launch(self.name, self._queues, self._carrier.carry)
        threading.Thread(target=self._watch, daemon=True).start()

    def until(self, stop: threading.Event) -> None:
        """Tick until asked to stop."""
        while not stop.is_set():
            close_old_connections()
            _tried(self._beat)
            self._stand_or_fall()
            _tried(self._tick)
            for chore in self._chores.due():
                _tried(chore)
            stop.wait(TICK_SECONDS)

    def stop(self) -> None:
        """Let go of everything in peace: what is unfinished waits for the next worker."""
        self._carrier.stopping.set()
        engine.stop(STOP_SECONDS)
        for hand in self._carrier.hands():
            put_back(hand)
        Worker.objects.filter(name=self.name).delete()

    def _beat(self) -> None:
        upkeep.beat(self.name, self._device)
        self._last_beat = time.monotonic()

    def _stand_or_fall(self) -> None:
        """Without a beat others have taken over, or are about to: two must not do the same work."""
        if engine.shared() and time.monotonic() - self._last_beat > upkeep.DEAD_AFTER - 2 * TICK_SECONDS:
            logger.error("the database was out of reach for too long: ending, so that others can take over")
            os._exit(1)

    def _tick(self) -> None:
        for name in self._reaper.look():
            logger.warning("took over what worker %s had in hand", name)
        now = time.monotonic()
        hands = self._carrier.hands()
        upkeep.lose_dropped(self.name, [hand.holder for hand in hands])
        upkeep.mark_stuck((hand.pk, hand.holder) for hand in hands if hand.quiet_since(now))
        thorough = now >= self._next_sweep
        upkeep.sweep(thorough=thorough)
        if thorough:
            self._next_sweep = now + (SWEEP_SECONDS if self._next_sweep else SECOND_SWEEP_SECONDS)
        if now >= self._next_forget:
            upkeep.forget()
            self._next_forget = now + FORGET_SECONDS

    def _watch(self) -> None:
        """Tell functions when their job was cancelled, so that they need not ask the database themselves."""
        try:
            while True:
                time.sleep(WATCH_SECONDS)
                _tried(self._look_after)
        finally:
            connections.close_all()

    def _look_after(self) -> None:
        hands = self._carrier.hands()
        if not hands:
            return
        close_old_connections()
        rows = Job.objects.filter(pk__in=[hand.pk for hand in hands], state__in=CARRIED)
        ours = set(rows.values_list("holder", flat=True))
        for hand in hands:
            if hand.holder not in ours:
                hand.taken_away.set()


def _tried(function: Callable[[], None]) -> None:
    """A database that is away for a while must not end the worker."""
    try:
        function()
    except Exception:
        logger.exception("upkeep failed and is tried again")
