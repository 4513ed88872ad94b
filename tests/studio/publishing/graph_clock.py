"""A clock that runs faster than the wall's, so that a container's 24 hours pass within a test."""

import time
from datetime import UTC, datetime

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


class Clock:
    """Scaled time in seconds since 1970: one real second is `factor` seconds here."""

    def __init__(self, factor: float = 600.0, origin: float | None = None) -> None:
        self.factor = factor
        self._origin = time.time() if origin is None else origin
        # One monotonic clock serves every process of a machine, so a copy of this one shows the same time there.
        self._began = time.monotonic()

    def now(self) -> float:
        return self._origin + (time.monotonic() - self._began) * self.factor

    def real(self, seconds: float) -> float:
        """How long a wait of scaled seconds takes on the wall's clock."""
        return seconds / self.factor

    def advance(self, seconds: float) -> None:
        """Jump ahead; a copy in another process does not."""
        self._origin += seconds


def said(at: float) -> str:
    """A time as the API writes it, to the second."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
