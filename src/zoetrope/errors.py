"""The one family of errors a person may see."""


class UserError(Exception):
    """A user's mistake or a limit reached: one clear sentence, no traceback, exit code 2."""
