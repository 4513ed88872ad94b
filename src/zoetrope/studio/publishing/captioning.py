"""Captions for drafts that have none, written by jobs: whoever writes one meanwhile goes first."""

from dataclasses import replace

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.publishing import suggesting
from zoetrope.studio.publishing.models import Post, PostPicture
from zoetrope.studio.spaces.work import scope_of
from zoetrope.studio.writing.seam import Length

KIND = "caption"
MOST = 24
"""So many are asked for at once."""


def wordless(persona: Persona) -> "QuerySet[Post]":
    """Its drafts with pictures and without words, the first to go out first."""
    rows = Post.objects.filter(persona=persona, state=Post.State.DRAFT, caption="").exclude(kind=Post.Kind.STORY)
    shows = Exists(PostPicture.objects.filter(post=OuterRef("pk")))
    return rows.filter(shows).order_by(F("due").asc(nulls_last=True), "pk")


def ask_all(persona: Persona) -> int:
    """Have captions written for what has none; how many."""
    posts = list(wordless(persona)[:MOST])
    for post in posts:
        post.space = persona.space
        ask(post)
    return len(posts)


def ask(post: Post) -> jobs.Job:
    """Have one written; asked again before it came, it is the same job."""
    title = f"A caption for {post}"[:200]
    return jobs.ask(KIND, f"{KIND}-{post.pk}", {"post": post.pk}, scope=scope_of(post.space), title=title)


def write(work: jobs.Work, post: int) -> None:
    """The job: a caption for what the post shows, unless it has one by then."""
    row = Post.objects.select_related("persona__space", "space", "pillar").filter(pk=post).first()
    if row is None or not _waits(row):
        return
    written = suggesting.variants(row, Length.medium, 1)[0]
    work.check()
    with transaction.atomic():
        now = Post.objects.select_for_update(of=("self",)).select_related("persona").filter(pk=post).first()
        if now is not None and _waits(now):
            # What a person has said already is theirs.
            suggesting.choose(now, replace(written, hashtags=tuple(now.hashtags or written.hashtags)))


def _waits(post: Post) -> bool:
    speaks = post.state == Post.State.DRAFT and post.kind != Post.Kind.STORY
    return speaks and not post.caption.strip() and post.pictures.exists()
