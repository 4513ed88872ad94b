"""Captions for a post, asked of the space's writer; the one that is chosen is remembered until somebody approves it."""

import re
import secrets
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.core import signing

from zoetrope.errors import UserError
from zoetrope.studio.publishing import desk
from zoetrope.studio.publishing.desk import Shown
from zoetrope.studio.publishing.models import CampaignIdea, Post, PostPicture
from zoetrope.studio.publishing.outgoing import ready
from zoetrope.studio.spaces.models import User
from zoetrope.studio.writing.seam import RECENT, Brief, Length

COUNT = 3
# A page waits for them.
_PATIENCE = 20.0
_SALT, _SECONDS = "posts.variants", 24 * 60 * 60
_WRITTEN = "written"


@dataclass(frozen=True)
class Variant:
    """A caption to choose, as its writer gave it."""

    text: str
    hashtags: tuple[str, ...]
    alt: str
    by: str

    def ticket(self, post: Post) -> str:
        """As a form carries it."""
        return signing.dumps([post.pk, *asdict(self).values()], salt=_SALT, compress=True)


def variants(post: Post, length: Length, count: int = COUNT) -> list[Variant]:
    """So many captions, labelled by who wrote them."""
    from zoetrope.studio.writing.keeping import writer_of

    writer = writer_of(post.space, _PATIENCE, seed=secrets.randbelow(2**31))
    written = [each.caption for each in writer.written(_brief(post, length), count)]
    return [Variant(each.text, tuple(each.hashtags), each.alt_text, each.by) for each in written]


def read(post: Post, ticket: str) -> Variant:
    """The one that somebody chose."""
    try:
        key, text, hashtags, alt, by = signing.loads(ticket, salt=_SALT, max_age=_SECONDS)
    except (signing.BadSignature, ValueError):
        key = None
    if key != post.pk:
        raise UserError("These captions are too old to be chosen: ask for new ones; nothing was changed.")
    return Variant(text, tuple(hashtags), alt, by)


def choose(post: Post, variant: Variant) -> None:
    """It is the post's caption now; a picture that blind people would hear nothing of is told too."""
    desk.change(post, caption=variant.text, hashtags=list(variant.hashtags))
    written(post, variant)
    rows = list(PostPicture.objects.filter(post=post))
    if variant.alt and len(rows) == 1 and not rows[0].alt:
        desk.arrange(post, [Shown(rows[0].pk, variant.alt, rows[0].crop)])


def written(post: Post, variant: Variant) -> None:
    """Its caption begins as a writer wrote it."""
    remember(post, {"text": variant.text, "by": variant.by})


def remember(post: Post, written: dict[str, Any] | None) -> None:
    """What a writer wrote for it, as long as nobody has approved it."""
    why = {name: told for name, told in post.why.items() if name != _WRITTEN}
    post.why = why | ({_WRITTEN: written} if written else {})
    Post.objects.filter(pk=post.pk).update(why=post.why)


def learn(post: Post, by: User) -> None:
    """What a person made of a written caption before approving it is an example for later ones."""
    from zoetrope.studio.writing.keeping import learn as keep

    if written := post.why.get(_WRITTEN):
        keep(post.persona, str(written.get("text", "")), post.caption, by)
        remember(post, None)


def _brief(post: Post, length: Length) -> Brief:
    from zoetrope.studio.writing.keeping import brief_for

    first = PostPicture.objects.filter(post=post).select_related("made").first()
    others = Post.objects.filter(persona=post.persona).exclude(pk=post.pk).exclude(caption="")
    said: dict[str, Any] = {
        "length": length,
        "recent": tuple(others.order_by("-pk").values_list("caption", flat=True)[:RECENT]),
    }
    if post.pillar:
        said |= {"pillar": post.pillar.name, "guidelines": post.pillar.guidelines}
    if idea := CampaignIdea.objects.select_related("campaign").filter(post=post).first():
        said["guidelines"] = "\n\n".join(filter(None, (idea.campaign.about, said.get("guidelines"))))
    brief: Brief = brief_for(post.persona, **said)
    return _seen(brief, post, first) if first else brief


def _plainly(post: Post, prompt: str) -> str:
    """A prompt that calls the persona by its name: what models know it by is nothing for captions."""
    trigger = post.persona.trigger.strip()
    return re.sub(rf"(?<!\w){re.escape(trigger)}(?!\w)", lambda _: post.persona.title, prompt) if trigger else prompt


def _seen(brief: Brief, post: Post, picture: PostPicture) -> Brief:
    """With what its first picture shows, as far as that can be read."""
    says = picture.alt or _plainly(post, str((picture.made.recipe or {}).get("prompt", "")))
    try:
        made = ready(picture.made.sha256, picture.crop, post.kind == Post.Kind.STORY)
        return replace(brief, picture_says=says, image=made.path.read_bytes())
    except (OSError, UserError):
        return replace(brief, picture_says=says)
