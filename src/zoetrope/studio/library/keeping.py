"""Into the library and out of it: whatever wins a run is kept, and no longer when it is no winner after all."""

from django.db import transaction
from django.utils import timezone

from zoetrope.errors import UserError
from zoetrope.studio.library.likeness import compare, look_of
from zoetrope.studio.library.models import Collection, Kept
from zoetrope.studio.pipelines.models import Run

MOST_COLLECTIONS = 200


def follow(run: Run) -> None:
    """Keep a run's winner; where it has none any more, what it had is put aside."""
    with transaction.atomic():
        made = run.winner.made if run.winner else None
        before = Kept.objects.filter(run=run).exclude(made=made)
        # Its collections, clusters and posts stay with it; what a person brought here stays in sight.
        before.filter(by=None).update(run=None, aside=timezone.now())
        before.update(run=None)
        if made is None:
            return
        prompt = made.said_recipe.prompt
        words = f"{prompt}\n{run.name}\n{run.version.pipeline.name}\n{run.persona.title}"
        said = {"run": run, "words": words, "title": prompt[:80], "aside": None}
        kept, _ = Kept.objects.update_or_create(space=run.space, made=made, defaults=said)
        compare(kept, look_of(made.sha256))


def put_aside(kept: Kept, *, back: bool = False) -> None:
    """Out of sight, and back again; nothing of it is lost."""
    kept.aside = None if back else timezone.now()
    kept.save(update_fields=["aside"])


def collect(kept: Kept, name: str) -> Collection:
    """Put it into a collection, a new one if there is none of that name."""
    name = name.strip()
    if not 0 < len(name) <= 60:
        raise UserError("A collection needs a name of 1 to 60 characters.")
    known = Collection.objects.filter(space=kept.space, name=name).first()
    if known is None and Collection.objects.filter(space=kept.space).count() >= MOST_COLLECTIONS:
        raise UserError(f"A space has at most {MOST_COLLECTIONS} collections.")
    with transaction.atomic():
        collection = known or Collection.objects.create(space=kept.space, name=name)
        kept.collections.add(collection)
    return collection


def take_out(kept: Kept, name: str) -> None:
    """Take it out of a collection; one that nothing lies in any more is gone."""
    with transaction.atomic():
        kept.collections.remove(*kept.collections.filter(name=name))
        Collection.objects.filter(space=kept.space, kept=None).delete()
