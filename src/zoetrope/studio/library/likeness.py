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


def compare(kept: Kept) -> int:
    """Find those of its space that it looks like, and how many there are."""
    try:
        bits = picture_hash(open_picture(path_of(kept.made.sha256)).image)
    except (OSError, MediaError):
        # Without its file it is like none.
        return 0
    kept.look = np.packbits(bits).tobytes()
    kept.save(update_fields=["look"])
    near = sorted(_near(kept, bits.size))[:_MOST]
    pairs = [pair for distance, key in near for pair in ((kept.pk, key, distance), (key, kept.pk, distance))]
    Alike.objects.filter(kept=kept).delete()
    Alike.objects.filter(other=kept).delete()
    Alike.objects.bulk_create(Alike(kept_id=one, other_id=other, distance=distance) for one, other, distance in pairs)
    return len(near)


def _near(kept: Kept, size: int) -> Iterator[tuple[float, int]]:
    rows = list(Kept.objects.filter(space=kept.space).exclude(pk=kept.pk).exclude(look=None).values_list("pk", "look"))
    if not rows or kept.look is None:
        return
    looks = np.frombuffer(b"".join(bytes(look) for _, look in rows if look), np.uint8).reshape(len(rows), -1)
    differ = np.bitwise_count(looks ^ np.frombuffer(kept.look, np.uint8)).sum(axis=1) / size
    yield from ((float(differ[place]), rows[place][0]) for place in np.flatnonzero(differ <= COPY))
