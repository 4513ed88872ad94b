"""The templates' own `{% url %}` beside Django's."""

import pytest
from django.template import Context, Engine
from django.urls import NoReverseMatch, reverse

from zoetrope.studio import addresses

OURS = Engine(builtins=["zoetrope.studio.addresses"])
DJANGOS = Engine()


def both(text: str, autoescape: bool = True, **values: object) -> tuple[str, str]:
    """What a template comes to with ours, and with Django's."""
    context = Context(values, autoescape=autoescape)
    return OURS.from_string(text).render(context), DJANGOS.from_string(text).render(context)


@pytest.mark.parametrize(
    "text",
    [
        "{% url 'sources' space name %}",
        "{% url page space name %}",
        "{% url 'sources' slug=space persona=name as there %}-{{ there }}-",
        "{% url 'nowhere' as there %}-{{ there }}-",
    ],
)
@pytest.mark.parametrize("autoescape", [True, False])
def test_it_says_what_djangos_says(text: str, autoescape: bool) -> None:
    ours, djangos = both(text, autoescape, space="studio", name="ada", page="captions")
    assert ours == djangos


def test_every_thing_has_its_own_address_the_second_time_too() -> None:
    addresses._address.cache_clear()
    for _ in range(2):
        for name in ("ada", "eve"):
            assert both("{% url 'sources' space name %}", space="studio", name=name)[0] == reverse(
                "sources", args=["studio", name]
            )
    assert addresses._address.cache_info().hits == 2


def test_an_address_that_is_not_there_is_a_fault() -> None:
    with pytest.raises(NoReverseMatch):
        both("{% url 'nowhere' space %}", space="studio")
