"""Who writes captions besides a person: a vision-language model in a local folder, or one behind a server."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from zoetrope.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image

_FOLDER = "folder:"


class Captioner(Protocol):
    """A model that says what it sees."""

    name: str

    def describe(self, picture: "Image", instruction: str) -> str:
        """The model's own words about one picture."""
        ...


def captioner_named(by: str, model: str | None = None) -> Captioner:
    """The captioner that `folder:PATH` or a server's address means."""
    if by.startswith(_FOLDER):
        from zoetrope.wheel.captioners.folder import FolderCaptioner

        if model is not None:
            raise UserError("A folder holds one model, so --model is for a server's address only.")
        return FolderCaptioner(Path(by.removeprefix(_FOLDER)).expanduser())
    if by.startswith(("http://", "https://")):
        from zoetrope.wheel.captioners.server import ServerCaptioner

        return ServerCaptioner(by, model)
    raise UserError(f"{by!r} is neither folder:PATH nor a server's address such as http://localhost:11434/v1.")
