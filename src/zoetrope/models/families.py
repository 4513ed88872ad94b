"""Every model family, by name. A new one is one file and one line here."""

from zoetrope.errors import UserError
from zoetrope.models.family import Family
from zoetrope.models.flux import Flux
from zoetrope.models.flux_kontext import FluxKontext

FAMILIES: dict[str, Family] = {family.name: family for family in (Flux(), FluxKontext())}


def family_named(name: str) -> Family:
    if name not in FAMILIES:
        raise UserError(f"No model family is called {name!r}; there are {', '.join(FAMILIES)}.")
    return FAMILIES[name]
