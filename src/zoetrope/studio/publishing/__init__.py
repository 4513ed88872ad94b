"""Posts on their way out: the calendar, channels, the ledger, and what came of each."""
