"""Pillars: what they weigh together, when they are current, and which pictures they have left."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from tests.studio.conftest import Cast
from tests.studio.test_api import Program
from zoetrope.errors import UserError
from zoetrope.studio.library.models import Kept
from zoetrope.studio.making.models import Made
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import begin, told_persona
from zoetrope.studio.planning import clusters, pillars, rhythm, uses
from zoetrope.studio.planning.models import Pillar, Rhythm, Use
from zoetrope.studio.planning.standing import outlook

PILLARS, API = "/s/studio/p/ada/pillars/", "/api/spaces/studio/personas/ada"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def pillar(persona: Persona, name: str = "Walks", weight: int = 25, **more: object) -> Pillar:
    return pillars.add(persona, pillars.Wanted(name, weight, **more))  # type: ignore[arg-type]


def kept(persona: Persona, words: str = "ada walks", count: int = 1, sha256: str = "") -> list[Kept]:
    """Kept pictures, without their files."""
    first = Made.objects.count()
    made = [
        Made.objects.create(
            space=persona.space, persona=persona, sha256=sha256 or f"{number:064x}", width=64, height=64
        )
        for number in range(first, first + count)
    ]
    return [Kept.objects.create(space=persona.space, made=each, words=words, title=words[:80]) for each in made]


def stocked(persona: Persona, count: int, **more: object) -> tuple[Pillar, list[Kept]]:
    """A pillar with a cluster of so many pictures."""
    row = pillar(persona, **more)  # type: ignore[arg-type]
    pictures = kept(persona, count=count)
    clusters.fill(clusters.home_of(row), [each.pk for each in pictures])
    return row, pictures


def there(row: Pillar) -> int:
    now = timezone.now()
    return uses.stock([row], now, now)[row.pk].left


def test_pillars_weigh_a_hundred_together_and_no_more(cast: Cast) -> None:
    walks, _ = pillar(cast.ada, "Walks", 60), pillar(cast.ada, "Food", 40)
    with pytest.raises(UserError, match="the others take 100: nothing is left for Work"):
        pillar(cast.ada, "Work", 1)
    pillars.change(walks, pillars.Wanted("Walks", 55))
    pillar(cast.ada, "Work", 5)
    with pytest.raises(UserError, match="the others take 45: 55 are left for Walks"):
        pillars.change(walks, pillars.Wanted("Walks", 56))
    walks.refresh_from_db()
    assert walks.weight == 55
    pillars.retire(walks)
    sea = pillar(cast.ada, "Sea", 55)
    with pytest.raises(UserError, match="nothing is left for Walks"):
        pillars.restore(walks)
    pillars.retire(sea)
    pillars.restore(walks)
    assert [each.name for each in pillars.active(cast.ada)] == ["Food", "Walks", "Work"]


def test_another_personas_pillars_leave_room(cast: Cast) -> None:
    mia = begin(cast.space, told_persona("mia", "drawn", "", "nano-flux", "fictional"), "Mia")
    pillar(cast.ada, "Walks", 100)
    assert pillar(mia, "Walks", 100).persona == mia


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (pillars.Wanted("  "), "needs a name"),
        (pillars.Wanted("x" * 61), "needs a name"),
        (pillars.Wanted("Walks", 101), "weighs 0 to 100, not 101"),
        (pillars.Wanted("Walks", priority=6), "priority is 1 to 5"),
        (pillars.Wanted("Walks", starts=date(2026, 2, 2), ends=date(2026, 2, 1)), "cannot end before it begins"),
        (pillars.Wanted("Walks", posts_per_week=float("nan")), "posts a week"),
        (pillars.Wanted("Walks", posts_per_week=22), "at most 21 posts a week"),
        (pillars.Wanted("Walks", guidelines="x" * 2001), "at most 2000 characters"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(cast: Cast, said: pillars.Wanted, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        pillars.add(cast.ada, said)
    assert not Pillar.objects.exists()


def test_two_pillars_have_two_names_unless_one_is_retired(cast: Cast) -> None:
    first = pillar(cast.ada, "Walks")
    with pytest.raises(UserError, match="has a pillar called Walks already"):
        pillar(cast.ada, "Walks")
    pillars.retire(first)
    pillar(cast.ada, "Walks")
    with pytest.raises(UserError, match="has a pillar called Walks already"):
        pillars.restore(first)


def test_a_day_begins_where_the_persona_lives(cast: Cast) -> None:
    """In Auckland it is the 23rd while it is the 22nd at Greenwich, and in Honolulu still the 21st."""
    pillar(cast.ada, "Before", 20, ends=date(2026, 11, 22))
    pillar(cast.ada, "After", 20, starts=date(2026, 11, 23))
    for zone, at, names in (
        ("UTC", NOON, ["Before"]),
        ("UTC", NOON + timedelta(hours=12), ["After"]),
        ("Pacific/Auckland", NOON, ["After"]),
        ("Pacific/Auckland", NOON - timedelta(hours=2), ["Before"]),
        ("Pacific/Honolulu", NOON + timedelta(hours=21), ["Before"]),
        ("Asia/Kathmandu", datetime(2026, 11, 22, 18, 14, tzinfo=UTC), ["Before"]),
        ("Asia/Kathmandu", datetime(2026, 11, 22, 18, 15, tzinfo=UTC), ["After"]),
    ):
        rhythm.set_rhythm(cast.ada, rhythm.Wanted(zone, 3, "thematic_rotation", 1))
        assert [each.pillar.name for each in outlook(cast.ada, now=at).standings] == names, (zone, at)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (("Europe/Atlantis", 3, "thematic_rotation", 28), "is no time zone"),
        (("../etc/passwd", 3, "thematic_rotation", 28), "is no time zone"),
        (("UTC", 0, "thematic_rotation", 28), "more than 0"),
        (("UTC", float("nan"), "thematic_rotation", 28), "more than 0"),
        (("UTC", 3, "astrology", 28), "no strategy called"),
        (("UTC", 3, "thematic_rotation", 93), "1 to 92 days"),
    ],
)
def test_a_rhythm_that_cannot_be_is_refused(cast: Cast, said: tuple[str, float, str, int], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        rhythm.set_rhythm(cast.ada, rhythm.Wanted(*said))
    assert not Rhythm.objects.exists()


def test_a_post_takes_its_picture_and_lets_go_of_it(cast: Cast) -> None:
    row, pictures = stocked(cast.ada, 4)
    assert (there(row), uses.free(row).count()) == (4, 4)
    now = timezone.now()
    uses.take(pictures[0], row, 7, now)
    uses.take(pictures[0], row, 7, now)
    uses.take(pictures[1], None, 8, now)
    assert (there(row), list(uses.free(row))) == (2, [pictures[3], pictures[2]])
    assert uses.release(7) == 1
    assert there(row) == 3
    uses.moved(8, now + timedelta(days=1))
    assert Use.objects.get().at == now + timedelta(days=1)
    uses.posted(8, now)
    assert (Use.objects.get().posted, uses.release(8), there(row)) == (True, 0, 3)
    Kept.objects.filter(pk=pictures[2].pk).update(aside=now)
    assert (there(row), list(uses.free(row))) == (2, [pictures[3], pictures[0]])


def test_a_picture_in_several_clusters_of_a_pillar_is_one(cast: Cast) -> None:
    row, pictures = stocked(cast.ada, 3)
    other = clusters.add(cast.ada, "Rain", pillars=[row])
    clusters.put(other, [pictures[0].pk, kept(cast.ada)[0].pk])
    assert (there(row), uses.free(row).count()) == (4, 4)
    clusters.delete(other)
    assert (there(row), uses.free(row).count()) == (3, 3)
    clusters.restore(other)
    assert there(row) == 4


def test_what_was_posted_stays_used_when_it_leaves_the_library_and_comes_back(cast: Cast) -> None:
    row, pictures = stocked(cast.ada, 1)
    uses.take(pictures[0], row, 1, timezone.now())
    uses.posted(1, timezone.now())
    made = pictures[0].made
    pictures[0].delete()
    again = Kept.objects.create(space=cast.space, made=made, words="ada", title="ada")
    clusters.put(clusters.home_of(row), [again.pk])
    assert there(row) == 0


def test_pictures_are_counted_only_so_far_as_they_matter(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uses, "COUNTED", 5)
    row, _ = stocked(cast.ada, 8)
    assert there(row) == 5
    assert outlook(cast.ada).standings[0].many


def test_everybody_looks_and_owners_set_up(cast: Cast) -> None:
    row = pillar(cast.ada, "Walks", 60, guidelines="Always outdoors.", posts_per_week=1.5)
    for who, looks, owns in (("olga", 200, 200), ("rui", 200, 403), ("vic", 200, 403), ("sam", 404, 404)):
        client = cast.clients[who]
        assert client.get(PILLARS).status_code == looks
        assert client.get(f"{PILLARS}{row.pk}/").status_code == owns
    page = cast.clients["vic"].get(PILLARS).content.decode()
    assert "Always outdoors." in page
    assert "1.5 posts a week" in page
    assert 'width="60"' in page
    assert "40 of 100 are left" in page
    assert "Add it" not in page
    refused = cast.clients["rui"].post(PILLARS, {"name": "Food", "weight": 10, "priority": 3})
    assert (refused.status_code, Pillar.objects.count()) == (403, 1)


def test_an_owner_adds_changes_retires_and_brings_back(cast: Cast) -> None:
    olga = cast.clients["olga"]
    said = {"name": "Walks", "weight": 70, "priority": 2, "starts": "2026-11-01", "posts_per_week": "2"}
    assert olga.post(PILLARS, said).status_code == 302
    row = Pillar.objects.get()
    assert (row.name, row.weight, row.starts, row.posts_per_week) == ("Walks", 70, date(2026, 11, 1), 2.0)
    heavy = olga.post(PILLARS, {"name": "Food", "weight": 31, "priority": 3})
    assert (heavy.status_code, "30 are left for Food" in heavy.content.decode()) == (422, True)
    at = f"{PILLARS}{row.pk}/"
    assert olga.post(at, said | {"weight": 100, "posts_per_week": ""}).status_code == 302
    row.refresh_from_db()
    assert (row.weight, row.posts_per_week) == (100, None)
    assert olga.post(at, said | {"weight": "much"}).status_code == 422
    olga.post(f"{at}act/", {"do": "retire"})
    assert "Bring it back" in olga.get(PILLARS).content.decode()
    assert outlook(cast.ada).standings == ()
    olga.post(f"{at}act/", {"do": "restore"})
    assert [each.pillar for each in outlook(cast.ada).standings] == [row]
    assert olga.post(f"{at}act/", {"do": "burn"}).status_code == 400


def test_the_rhythm_is_an_owners_to_change(cast: Cast) -> None:
    said = {"zone": "Europe/Rome", "posts_per_week": "4.5", "strategy": "theme_of_week", "days": "14"}
    assert cast.clients["rui"].post(f"{PILLARS}rhythm/", said).status_code == 403
    assert cast.clients["olga"].post(f"{PILLARS}rhythm/", said).status_code == 302
    row = Rhythm.objects.get()
    assert (row.zone, row.posts_per_week, row.strategy, row.days) == ("Europe/Rome", 4.5, "theme_of_week", 14)
    refused = cast.clients["olga"].post(f"{PILLARS}rhythm/", said | {"zone": "Europe/Atlantis"})
    assert (refused.status_code, "is no time zone" in refused.content.decode()) == (422, True)
    assert "14 days ahead by the days of Europe/Rome" in cast.clients["vic"].get(PILLARS).content.decode()


def test_a_pillar_of_another_persona_or_space_is_none(cast: Cast) -> None:
    mia = begin(cast.space, told_persona("mia", "drawn", "", "nano-flux", "fictional"), "Mia")
    row = pillar(mia, "Walks")
    assert cast.clients["olga"].get(f"{PILLARS}{row.pk}/").status_code == 404
    assert cast.clients["olga"].post(f"{PILLARS}{row.pk}/act/", {"do": "retire"}).status_code == 404
    assert cast.clients["sam"].get(f"/s/studio/p/mia/pillars/{row.pk}/").status_code == 404


def test_a_program_does_the_same(cast: Cast) -> None:
    olga, vic = Program(cast, "olga"), Program(cast, "vic")
    said = {"name": "Walks", "weight": 60, "starts": "2026-11-01"}
    made = olga("POST", f"{API}/pillars", 201, **said)
    assert (made["weight"], made["starts"], made["retired"]) == (60, "2026-11-01", None)
    assert "40 are left" in olga("POST", f"{API}/pillars", 400, name="Food", weight=41)["detail"]
    olga("POST", f"{API}/pillars", 422, name="Food", weight=101)
    at = f"{API}/pillars/{made['id']}"
    assert olga("PUT", at, name="Walks", weight=5)["starts"] is None
    vic("PUT", at, 403, name="Walks", weight=5)
    assert olga("POST", at, do="retire")["retired"] is not None
    assert vic("GET", f"{API}/pillars") == []
    assert [each["id"] for each in vic("GET", f"{API}/pillars?retired=true")] == [made["id"]]
    assert vic("GET", f"{API}/rhythm")["zone"] == "UTC"
    assert olga("PUT", f"{API}/rhythm", zone="Asia/Kathmandu", days=7)["zone"] == "Asia/Kathmandu"
    assert vic("GET", f"{API}/plan")["rhythm"]["days"] == 7
