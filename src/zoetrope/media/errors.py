"""What this room says when a picture or its file cannot be used."""

from zoetrope.errors import UserError


class MediaError(UserError):
    """A picture, clip, recipe or folder that cannot be read or written, in one sentence."""
