"""The first visit, logging in, invitations, roles."""

import errno
import os
import runpy
import socket
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.studio.conftest import PASSWORD, Cast
from zoetrope.errors import UserError
from zoetrope.media.hashing import hash_bytes
from zoetrope.studio import settings, start
from zoetrope.studio.databases import close_to_others, database
from zoetrope.studio.keys import read_secret
from zoetrope.studio.spaces import people
from zoetrope.studio.spaces.models import ApiToken, Membership, OneTimeLink, Role, Space, User

DAY = timedelta(days=1)
ACCOUNT = {"username": "olga", "password1": PASSWORD, "password2": PASSWORD, "space": "Studio"}


def test_the_first_link_makes_the_owner_and_a_space(db: None) -> None:
    secret = start.first_link()
    visitor = Client()
    assert b"There is no account yet" in visitor.get("/login/").content
    assert visitor.get(f"/link/{secret}/").status_code == 200
    done = visitor.post(f"/link/{secret}/", ACCOUNT)
    assert (done.status_code, done.headers["Location"]) == (302, "/s/studio/")
    assert Membership.objects.get().role == Role.owner
    assert start.first_link() is None
    assert Client().post(f"/link/{secret}/", ACCOUNT | {"username": "eve"}).status_code == 404


def test_a_space_that_is_there_already_is_the_first_accounts(db: None) -> None:
    Space.objects.create(name="Ada's studio", slug="adas")
    visitor = Client()
    address = f"/link/{start.first_link()}/"
    assert "id_space" not in visitor.get(address).content.decode()
    answer = visitor.post(address, {"username": "olga", "password1": PASSWORD, "password2": PASSWORD})
    assert answer["Location"] == "/s/adas/"
    assert Membership.objects.get().role == Role.owner
    assert Space.objects.count() == 1


def test_a_second_start_makes_the_first_link_useless(db: None) -> None:
    old, new = start.first_link(), start.first_link()
    assert Client().get(f"/link/{old}/").status_code == 404
    assert Client().get(f"/link/{new}/").status_code == 200


def test_an_old_link_opens_nothing(db: None) -> None:
    secret = start.first_link()
    OneTimeLink.objects.update(expires=timezone.now() - timedelta(minutes=1))
    assert Client().get(f"/link/{secret}/").status_code == 404


@pytest.mark.parametrize("weak", ["short", "1234567890", "password123"])
def test_a_weak_password_is_refused_and_the_link_kept(db: None, weak: str) -> None:
    secret = start.first_link()
    visitor = Client()
    assert visitor.post(f"/link/{secret}/", ACCOUNT | {"password1": weak, "password2": weak}).status_code == 422
    assert not User.objects.exists()
    assert visitor.get(f"/link/{secret}/").status_code == 200


def test_guessing_passwords_is_slowed_down(cast: Cast) -> None:
    visitor = Client()
    for _ in range(10):
        visitor.post("/login/", {"username": "olga", "password": "wrong"})
    told = visitor.post("/login/", {"username": "olga", "password": PASSWORD})
    assert b"Too many wrong passwords" in told.content
    assert visitor.post("/login/", {"username": "rui", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize(("guessed", "other"), [("李", "王"), ("a.b", "ab")])
def test_a_name_rests_alone(cast: Cast, guessed: str, other: str) -> None:
    for _ in range(10):
        Client().post("/login/", {"username": guessed, "password": "wrong"})
    told = [Client().post("/login/", {"username": name, "password": "wrong"}) for name in (guessed, other)]
    assert [b"Too many wrong passwords" in each.content for each in told] == [True, False]


def test_a_forgotten_password_is_set_anew(cast: Cast) -> None:
    secret = start.password_link("vic")
    new = {"new_password1": "another good one", "new_password2": "another good one"}
    assert Client().post(f"/link/{secret}/", new).status_code == 302
    assert Client().login(username="vic", password="another good one")
    with pytest.raises(UserError, match="no account called 'eve'; there is"):
        start.password_link("eve")


def test_only_the_newest_link_sets_a_password(cast: Cast) -> None:
    first, second = (f"/link/{start.password_link('vic')}/" for _ in range(2))
    assert [Client().get(link).status_code for link in (first, second)] == [404, 200]
    third = OneTimeLink.objects.create(
        secret_hash=hash_bytes(b"third"), purpose="password", user=cast.user("vic"), expires=timezone.now() + DAY
    )
    new = {"new_password1": "another good one", "new_password2": "another good one"}
    assert Client().post(second, new).status_code == 302
    assert not OneTimeLink.usable().filter(pk=third.pk).exists()


def test_an_invitation_is_shown_once_and_brings_a_role(cast: Cast) -> None:
    olga = cast.clients["olga"]
    told = olga.post("/s/studio/members/invite/", {"role": Role.reviewer.value})
    path = told.content.decode().split('id="secret">')[1].split("</code>")[0].split("testserver")[1]
    assert "no-store" in told["Cache-Control"]
    assert path.split("/")[2] not in str(dict(olga.session)), "what is kept, others may read"
    assert 'id="secret"' not in olga.get("/s/studio/members/").content.decode()
    new = {"username": "ned", "password1": PASSWORD, "password2": PASSWORD}
    assert Client().post(path, new).headers["Location"] == "/s/studio/"
    assert Membership.objects.get(user__username="ned").role == Role.reviewer


def test_an_invitation_never_lowers_a_role(cast: Cast) -> None:
    secret = OneTimeLink.make(OneTimeLink.Purpose.invite, cast.space, Role.viewer)
    assert cast.clients["rui"].post(f"/link/{secret}/").status_code == 302
    assert Membership.objects.get(user__username="rui").role == Role.reviewer


@pytest.mark.parametrize("end", [{"leave": "1"}, {"role": Role.reviewer.value}])
def test_who_owns_no_longer_comes_back_by_no_invitation(cast: Cast, end: dict[str, str]) -> None:
    Membership.objects.filter(user__username="rui").update(role=Role.owner)
    own, others = (people.invite(cast.space, Role.owner, cast.user(name)) for name in ("rui", "olga"))
    seat = Membership.objects.get(user__username="rui", space=cast.space)
    cast.clients["olga"].post(f"/s/studio/members/{seat.pk}/", end)
    assert [cast.clients["rui"].post(link).status_code for link in (own, others)] == [404, 302]


def test_an_invitation_is_listed_and_ended(cast: Cast) -> None:
    olga, at = cast.clients["olga"], "/api/spaces/studio/invitations"
    links = [people.invite(cast.space, Role.reviewer, cast.user("olga")) for _ in range(2)]
    listed = olga.get(at).json()
    assert [(each["role"], each["made_by"]) for each in listed] == [("reviewer", "olga")] * 2
    ends = [f"/s/studio/invitations/{each['id']}/end/" for each in listed]
    page = olga.get("/s/studio/members/").content.decode()
    assert [end in page for end in ends] == [True, True]
    assert ends[0] not in cast.clients["rui"].get("/s/studio/members/").content.decode()
    assert olga.post(ends[0]).status_code == 302
    assert olga.delete(f"{at}/{listed[1]['id']}").status_code == 204
    assert [Client().get(link).status_code for link in links] == [404, 404]
    assert olga.get(at).json() == []


def test_anybody_may_leave(cast: Cast) -> None:
    vic = cast.clients["vic"]
    seats = {each.user.username: each.pk for each in people.members_of(cast.space)}
    assert 'value="1">Leave' in vic.get("/s/studio/members/").content.decode()
    assert vic.post(f"/s/studio/members/{seats['rui']}/", {"leave": "1"}).status_code == 403
    left = vic.post(f"/s/studio/members/{seats['vic']}/", {"leave": "1"}, follow=True)
    assert (left.status_code, "vic is no longer a member of Studio" in left.content.decode()) == (200, True)
    assert vic.get("/s/studio/").status_code == 404


def test_an_owner_who_leaves_lands_on_a_page(cast: Cast) -> None:
    Membership.objects.filter(user__username="rui").update(role=Role.owner)
    own = Membership.objects.get(user__username="olga", space=cast.space)
    assert cast.clients["olga"].post(f"/s/studio/members/{own.pk}/", {"leave": "1"}, follow=True).status_code == 200


def test_others_need_not_wait_while_a_password_is_hashed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    depths, plainly = [], User.set_password
    outside = len(connection.savepoint_ids)

    def hashed(user: User, password: str | None) -> None:
        depths.append(len(connection.savepoint_ids) - outside)
        plainly(user, password)

    monkeypatch.setattr(User, "set_password", hashed)
    new = {"username": "ned", "password1": PASSWORD, "password2": PASSWORD}
    passwords = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    assert Client().post(people.invite(cast.space, Role.viewer, cast.user("olga")), new).status_code == 302
    assert Client().post(f"/link/{start.password_link('vic')}/", passwords).status_code == 302
    User.objects.all().delete()
    assert Client().post(f"/link/{start.first_link()}/", ACCOUNT).status_code == 302
    assert depths == [0, 0, 0]


def test_a_name_taken_at_the_same_moment_uses_no_link_up(cast: Cast) -> None:
    link = OneTimeLink.find(OneTimeLink.make(OneTimeLink.Purpose.invite, cast.space))
    assert link is not None
    with pytest.raises(UserError, match="Somebody took the name rui"):
        people.welcome(link, User(username="rui"))
    assert OneTimeLink.usable().filter(pk=link.pk).exists()


def test_the_last_owner_stays(cast: Cast) -> None:
    own = Membership.objects.get(user__username="olga", space=cast.space)
    for said in ({"leave": "1"}, {"role": Role.viewer.value}):
        told = cast.clients["olga"].post(f"/s/studio/members/{own.pk}/", said)
        assert (told.status_code, b"needs an owner" in told.content) == (400, True)
    own.refresh_from_db()
    assert own.role == Role.owner


def test_who_leaves_takes_the_tokens_along(cast: Cast) -> None:
    secret = cast.token("vic")
    seat = Membership.objects.get(user__username="vic", space=cast.space)
    cast.clients["olga"].post(f"/s/studio/members/{seat.pk}/", {"leave": "1"})
    assert ApiToken.find(secret) is None


def test_only_hashes_are_kept(cast: Cast) -> None:
    secrets = [cast.token("olga"), OneTimeLink.make(OneTimeLink.Purpose.invite, cast.space)]
    rows = [*ApiToken.objects.values_list(), *OneTimeLink.objects.values_list()]
    assert not [secret for secret in secrets if secret in str(rows)]


def test_the_secret_is_its_owners_alone(tmp_path: Path) -> None:
    first = read_secret(tmp_path / "new")
    assert read_secret(tmp_path / "new") == first
    assert len(first) == 32
    assert stat.S_IMODE((tmp_path / "new" / "secrets.key").stat().st_mode) == 0o600
    (tmp_path / "new" / "secrets.key").write_bytes(b"")
    with pytest.raises(UserError, match="is damaged"):
        read_secret(tmp_path / "new")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:hun/ter2@127.0.0.1/x",
        "postgresql://u:hun[ter2@127.0.0.1/x",
        "postgresql://u:hunter2@127.0.0.1:port/x",
        "postgresql://u:hunter2@127.0.0.1:99999/x",
    ],
)
def test_a_databases_address_that_cannot_be_read_is_told_but_not_repeated(tmp_path: Path, address: str) -> None:
    with pytest.raises(UserError, match="DATABASE_URL cannot be read") as told:
        database(address, tmp_path)
    assert (told.value.__cause__, told.value.__suppress_context__) == (None, True)
    assert not [part for part in ("hun", "ter2", "port/", "99999") if part in str(told.value)]


def test_databases_are_their_owners_alone(tmp_path: Path) -> None:
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    beside = [old, tmp_path / "old.sqlite-wal", tmp_path / "old.sqlite-shm"]
    for path in beside:
        path.touch(mode=0o644)
        path.chmod(0o644)
    for path in (old, new):
        close_to_others(path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (*beside, new)} == {0o600}


@pytest.mark.parametrize(
    ("host", "error"),
    [
        ("203.0.113.7", OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")),
        ("::1", OSError(errno.EAFNOSUPPORT, "Address family not supported")),
        ("nowhere.invalid", socket.gaierror(socket.EAI_NONAME, "Name or service not known")),
        ("a" * 80, UnicodeError("label too long")),
    ],
)
def test_a_host_that_is_not_ours_is_told(host: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def bound(host: str, port: int) -> socket.socket:
        raise error

    monkeypatch.setattr(start, "_bound", bound)
    with pytest.raises(UserError, match=f"'{host}' is no address of this machine: leave --host away"):
        start.free_port(host, 8420)


def test_no_host_is_not_every_host() -> None:
    with pytest.raises(UserError, match="'' is no address of this machine"):
        start.address_of("", 8420)


def test_names_may_have_spaces_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOETROPE_HOSTS", "one.example, two.example ,")
    told = runpy.run_path(settings.__file__)
    assert told["ALLOWED_HOSTS"][3:] == ["one.example", "two.example"]
    assert told["CSRF_TRUSTED_ORIGINS"] == ["https://one.example", "https://two.example"]


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"start another with --port {port + 1}"):
            start.free_port("127.0.0.1", port)


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZOETROPE_HOME", os.fspath(tmp_path / "file" / "home"))
    with pytest.raises(UserError, match="name another folder with ZOETROPE_HOME"):
        start.prepare()
