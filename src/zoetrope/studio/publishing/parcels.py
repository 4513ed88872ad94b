"""A post, packed for its channel."""

from zoetrope.errors import UserError
from zoetrope.studio.publishing.channels.seam import Parcel, Shot
from zoetrope.studio.publishing.checks import faults
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.publishing.outgoing import ready_of


def parcel_of(post: Post) -> Parcel:
    """What goes out; the first thing that stands against it is said instead."""
    if fault := unfit(post):
        raise UserError(fault)
    pictures = list(post.pictures.select_related("made"))
    shots = []
    for each in pictures:
        made = ready_of(each, post.kind == Post.Kind.STORY)
        shots.append(Shot(made.name, each.alt, made.look, made.path, each.made.moves))
    text = "" if post.kind == Post.Kind.STORY else post.text
    return Parcel(post.pk, post.kind, text, tuple(shots), post.labelled, post.comment)


def unfit(post: Post) -> str:
    """The first thing that stands against it now; empty where nothing does."""
    return next(faults(post, list(post.pictures.select_related("made"))), "")
