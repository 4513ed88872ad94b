"""Kept pictures that look much the same: compared when one comes, so that pages only look it up."""

from collections.abc import Iterator

import numpy as np

from zoetrope.media.decode import open_picture
from zoetrope.media.errors import MediaError
from zoetrope.studio.library.models import Alike, Kept
from zoetrope.studio.making.store import path_of
from zoetrope.wheel.alike import COPY
from zoetrope.wheel.quality import picture_hash

# Of a picture drawn a thousand times nobody looks at them all.
_MOST = 50


def look_of(sha256: str) -> bytes | None:
    """What a picture in the store looks like, in few bits; without its file it is like none."""
    try:
        return np.packbits(picture_hash(open_picture(path_of(sha256)).image)).tobytes()
    except (OSError, MediaError):
        return None


def compare(kept: Kept, look: bytes | None) -> int:
    """Find those of its space that it looks like, and how many there are."""
    if look is None:
        return 0
    kept.look = look
    kept.save(update_fields=["look"])
    near = sorted(_near(kept, look))[:_MOST]
    pairs = [pair for distance, key in near for pair in ((kept.pk, key, distance), (key, kept.pk, distance))]
    Alike.objects.filter(kept=kept).delete()
    Alike.objects.filter(other=kept).delete()
    Alike.objects.bulk_create(Alike(kept_id=one, other_id=other, distance=distance) for one, other, distance in pairs)
    return len(near)


def _near(kept: Kept, look: bytes) -> Iterator[tuple[float, int]]:
    rows = list(Kept.objects.filter(space=kept.space).exclude(pk=kept.pk).exclude(look=None).values_list("pk", "look"))
    if not rows:
        return
    looks = np.frombuffer(b"".join(bytes(other) for _, other in rows if other), np.uint8).reshape(len(rows), -1)
    differ = np.bitwise_count(looks ^ np.frombuffer(look, np.uint8)).sum(axis=1) / (8 * len(look))
    yield from ((float(differ[place]), rows[place][0]) for place in np.flatnonzero(differ <= COPY))
