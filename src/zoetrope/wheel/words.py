"""A caption's words as a workspace keeps them: one line of a bounded length, in a .txt beside the picture."""

import re
from pathlib import Path

from zoetrope.errors import UserError
from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited, write_text_atomic

LONGEST = 2000
MOST_BYTES = 64 * 2**10
"""A caption's file has at most so many; what is longer was never meant to be one."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def on_one_line(text: str) -> str:
    """Words as they are kept: without line breaks and control characters, or one sentence where they are too many."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    if len(line) > LONGEST:
        raise UserError(f"That is {len(line):,} characters, and at most {LONGEST:,} are taken; nothing was changed.")
    return line


def read_caption(path: Path) -> str | None:
    """The words in a .txt file; none when there is no file."""
    if not path.is_file():
        return None
    try:
        return on_one_line(read_limited(path, MOST_BYTES).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UserError(f"{path.name} is not UTF-8 text; save it as UTF-8 and try again.") from error
    except MediaError as error:
        said = f"{path.name} cannot be read, or is larger than the {MOST_BYTES:,} bytes that a caption may have."
        raise UserError(said) from error
    except UserError as error:
        raise UserError(f"{path.name}: {error}") from error


def write_caption(path: Path, text: str) -> None:
    """A caption's file; none where there are no words."""
    if text:
        write_text_atomic(path, text + "\n")
    else:
        path.unlink(missing_ok=True)
