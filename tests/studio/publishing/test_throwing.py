"""A draft that was thrown away comes back as it was, for an hour; a library picture leads to its posts and another."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.utils import timezone

from tests.studio.conftest import Cast
from tests.studio.publishing.test_campaigns import begun, chosen
from tests.studio.publishing.test_outbox import keep
from tests.studio.publishing.test_post_pages import CALENDAR, act, page_of, post, rhythm, undo
from zoetrope.errors import UserError
from zoetrope.studio.library.keeping import put_aside
from zoetrope.studio.library.models import Kept
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.models import Use
from zoetrope.studio.publishing import desk, throwing
from zoetrope.studio.publishing.models import CampaignIdea, Entry, Post, PostPicture, Thrown
from zoetrope.studio.publishing.stamping import stamp
from zoetrope.studio.publishing.undoing import as_seen

__all__ = ["post", "rhythm"]

AT_THE_RIGHT = {"left": 0.1, "top": 0.0, "width": 0.9, "height": 1.0}


def test_it_comes_back_as_it_was(cast: Cast, post: Post) -> None:
    PostPicture.objects.update(alt="By the water.", crop=AT_THE_RIGHT)
    post.why = {"strategy": "a person", "about": "It was picked."}
    post.save()
    post.refresh_from_db()
    before, made = stamp(post, post.pictures.all()), post.created
    answer = act(cast, "rui", post, "drop")
    assert not Post.objects.exists()
    assert not Use.objects.exists()
    page = undo(cast, "rui", answer).content.decode()
    assert "The post is back as it was." in page
    back = Post.objects.get(pk=post.pk)
    assert (stamp(back, back.pictures.all()), back.why) == (before, post.why)
    assert abs(back.created - made) < timedelta(milliseconds=1)
    assert (Use.objects.get().post, Thrown.objects.count()) == (post.pk, 0), "its picture is not free"
    assert page_of(cast.clients["rui"], f"/s/studio/posts/{post.pk}/")
    ticket = answer.headers["Location"].partition("done=")[2]
    again = cast.clients["rui"].post(f"{CALENDAR}undo/", {"ticket": ticket, "back": CALENDAR})
    assert (again.status_code, Post.objects.count()) == (400, 1)


def test_one_that_failed_comes_back_without_its_pictures_held(cast: Cast, post: Post) -> None:
    Post.objects.update(state=Post.State.FAILED, error="The shape is wrong.", asks=True)
    Use.objects.all().delete()
    undo(cast, "rui", act(cast, "rui", post, "drop"))
    post.refresh_from_db()
    assert (post.state, post.error, Use.objects.count()) == (Post.State.FAILED, "The shape is wrong.", 0)


def test_a_campaigns_idea_has_its_post_again(cast: Cast) -> None:
    row = chosen(begun(cast))[0]
    assert row.post is not None
    key = throwing.throw(row.post).post
    assert CampaignIdea.objects.get(pk=row.pk).post is None
    throwing.bring_back(key, cast.space.pk)
    row.refresh_from_db()
    assert row.post_id == key


def test_it_is_not_brought_back_for_ever_nor_by_strangers(cast: Cast, post: Post) -> None:
    other = keep(cast, "red")
    gone = throwing.throw(post)
    with pytest.raises(UserError, match="no more"):
        throwing.bring_back(gone.post, cast.space.pk + 1)
    Thrown.objects.update(at=timezone.now() - throwing.KEPT - timedelta(seconds=1))
    with pytest.raises(UserError, match="no more"):
        throwing.bring_back(gone.post, cast.space.pk)
    throwing.throw(desk.draft(cast.ada, [other], None))
    assert [each.pk for each in Thrown.objects.all()] != [gone.pk], "what is too old is forgotten"
    assert Thrown.objects.count() == 1


def test_it_comes_back_with_its_ledger_whoever_made_it_has_left(cast: Cast, post: Post) -> None:
    Post.objects.update(state=Post.State.FAILED)
    call = Entry.objects.create(channel=desk.outbox(cast.ada), post=post, call="x", outcome="lost", at=timezone.now())
    gone = throwing.throw(post)
    cast.user("rui").delete()
    back = throwing.bring_back(gone.post, cast.space.pk)
    call.refresh_from_db()
    assert (back.by, call.post) == (None, back)


def test_that_its_picture_has_another_post_by_now_is_said(cast: Cast, post: Post) -> None:
    kept = Kept.objects.get()
    answer = act(cast, "rui", post, "drop")
    desk.draft(cast.ada, [kept], None)
    assert "Another post shows one of its pictures by now" in undo(cast, "rui", answer).content.decode()


def test_a_database_that_is_busy_loses_nothing(cast: Cast, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = throwing.throw(post)

    def busy(row: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(throwing, "_keep", busy)
        with pytest.raises(OperationalError):
            throwing.bring_back(gone.post, cast.space.pk)
    assert throwing.bring_back(gone.post, cast.space.pk) == post


def test_of_two_who_throw_it_away_one_is_told(cast: Cast, post: Post) -> None:
    same = Post.objects.get(pk=post.pk)
    throwing.throw(post)
    with pytest.raises(UserError, match="has thrown the post away"):
        throwing.throw(same)
    with pytest.raises(UserError, match="has thrown the post away"), as_seen(same, ""):
        pass


@pytest.mark.django_db(transaction=True)
def test_what_lost_a_picture_for_good_says_so(cast: Cast, post: Post) -> None:
    made = post.pictures.get().made
    gone = throwing.throw(post)
    made.kept.all().delete()
    made.delete()
    with pytest.raises(UserError, match="no more"):
        throwing.bring_back(gone.post, cast.space.pk)
    assert not Post.objects.exists()


def test_a_library_picture_leads_to_its_posts_and_another(cast: Cast, post: Post) -> None:
    kept = post.pictures.get().made.kept.get()
    address = f"/s/studio/library/{kept.pk}/posts/"
    assert f'hx-get="{address}"' in page_of(cast.clients["vic"], f"/s/studio/library/{kept.pk}/")
    shown = page_of(cast.clients["vic"], address)
    assert f"/s/studio/posts/{post.pk}/" in shown
    assert "Make a post of it" not in shown
    assert "Make a post of it" in page_of(cast.clients["rui"], address)
    answer = cast.clients["rui"].post(address, {"persona": "ada"})
    new = Post.objects.exclude(pk=post.pk).get()
    assert answer.headers["Location"] == f"/s/studio/posts/{new.pk}/"
    assert [each.made_id for each in new.pictures.all()] == [kept.made_id]


def test_of_many_posts_the_block_shows_the_newest_and_the_page_all(cast: Cast) -> None:
    kept = keep(cast)
    posts = [desk.draft(cast.ada, [kept], None) for _ in range(9)]
    address = f"/s/studio/library/{kept.pk}/posts/"
    block = cast.clients["vic"].get(address, headers={"HX-Request": "true"}).content.decode()
    shown = [f"/s/studio/posts/{each.pk}/" in block for each in posts]
    assert (shown, f'href="{address}"' in block) == ([False] + [True] * 8, True)
    page = page_of(cast.clients["vic"], address)
    assert all(f"/s/studio/posts/{each.pk}/" in page for each in posts)
    assert f'href="{address}"' not in page


def test_whose_post_it_can_be(cast: Cast) -> None:
    Persona.objects.create(space=cast.ada.space, name="bo", title="Bo", folder="bo", kind="drawn")
    kept = keep(cast)
    address = f"/s/studio/library/{kept.pk}/posts/"
    assert kept.made.persona == cast.ada
    assert cast.clients["rui"].post(address, {"persona": "bo"}).status_code == 400
    kept.made.persona = None
    kept.made.save()
    assert 'value="bo"' in page_of(cast.clients["rui"], address)
    assert cast.clients["rui"].post(address, {"persona": "bo"}).status_code == 302
    put_aside(kept)
    assert cast.clients["rui"].post(address, {"persona": "bo"}).status_code == 400
    assert Post.objects.count() == 1


def test_programs_bring_back_what_they_threw_away(cast: Cast, post: Post) -> None:
    at = f"/api/spaces/studio/posts/{post.pk}"
    before = cast.clients["rui"].get(at).json()
    assert cast.clients["rui"].delete(at).status_code == 204
    assert cast.clients["rui"].get(at).status_code == 404
    answer = cast.clients["rui"].post(f"{at}/back")
    assert (answer.status_code, answer.json()) == (200, before)


def test_programs_take_a_table_out_again(cast: Cast) -> None:
    at = "/api/spaces/studio/personas/ada/posts.csv"
    taken = cast.clients["rui"].post(at, {"file": SimpleUploadedFile("posts.csv", b"caption\r\nOne\r\n")}).json()
    assert (taken["added"], taken["changed"]) == (1, 0)
    answer = cast.clients["rui"].delete(f"{at}/{taken['table']}")
    assert (answer.status_code, Post.objects.count()) == (200, 0), answer.json()["told"]
