"""A LoRA's files, to use elsewhere."""

from django.http import Http404
from django.utils.text import slugify

from zoetrope.studio.files import Handed
from zoetrope.studio.loras.library import card_of, path_of
from zoetrope.studio.loras.models import Lora


def handed(lora: Lora, kind: str) -> Handed:
    """The weights (`safetensors`) or the card (`png`), under a name that says what it is."""
    path = {"safetensors": path_of(lora), "png": card_of(lora)}.get(kind)
    if path is None or not path.is_file():
        raise Http404("There is no such file.")
    return Handed(
        path.open("rb"), as_attachment=True, filename=f"{slugify(lora.name) or 'lora'}_v{lora.version}.{kind}"
    )
