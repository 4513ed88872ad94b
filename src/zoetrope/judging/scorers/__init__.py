"""Identity scorers by name. A new one is one file and one line here."""

from pathlib import Path

from zoetrope.errors import UserError
from zoetrope.judging.scorer import FolderScorer, Scorer
from zoetrope.judging.scorers.clip import Clip
from zoetrope.judging.scorers.dino import Dino
from zoetrope.judging.scorers.nano_identity import NanoIdentity
from zoetrope.judging.scorers.sface import SFace

_SHIPPED: dict[str, type[Scorer]] = {
    NanoIdentity.name: NanoIdentity,
}
_IN_FOLDERS: dict[str, type[FolderScorer]] = {
    SFace.name: SFace,
    Dino.name: Dino,
    Clip.name: Clip,
}


def scorer_named(text: str) -> Scorer:
    """The scorer that `NAME` or `NAME:FOLDER` means, its folder checked."""
    name, _, folder = text.partition(":")
    if name in _SHIPPED:
        if folder:
            raise UserError(f"The scorer {name} is shipped with Zoetrope; name it without a folder.")
        return _SHIPPED[name]()
    if name not in _IN_FOLDERS:
        raise UserError(f"There is no scorer called {name!r}; there are {', '.join([*_SHIPPED, *_IN_FOLDERS])}.")
    scorer = _IN_FOLDERS[name]
    if not folder:
        raise UserError(f"The scorer {name} needs {scorer.needs}: name it as {name}:FOLDER.")
    return scorer(Path(folder).expanduser())
