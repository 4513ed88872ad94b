"""What the log never says: what opens doors."""

import logging
import re

# Django logs the address of each refused request, and a one-time link's address is its secret.
_SECRETS = re.compile(r"(/link/|\bzt_|\bBearer )[\w.~+/=-]+")


class Discreet(logging.Formatter):
    """Log lines and tracebacks without links' and tokens' secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub(r"\1…", super().format(record))
