"""The first visit, logging in, invitations, roles."""

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from tests.studio.conftest import PASSWORD, Cast
from zoetrope.errors import UserError
from zoetrope.studio import start
from zoetrope.studio.keys import read_secret
from zoetrope.studio.spaces.models import ApiToken, Membership, OneTimeLink, Role, Space, User

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
    space = Space.objects.create(name="Ada's studio", slug="adas")
    visitor = Client()
    address = f"/link/{start.first_link(space)}/"
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


def test_a_forgotten_password_is_set_anew(cast: Cast) -> None:
    secret = start.password_link("vic")
    new = {"new_password1": "another good one", "new_password2": "another good one"}
    assert Client().post(f"/link/{secret}/", new).status_code == 302
    assert Client().login(username="vic", password="another good one")
    with pytest.raises(UserError, match="no account called 'eve'; there is"):
        start.password_link("eve")


def test_an_invitation_is_shown_once_and_brings_a_role(cast: Cast) -> None:
    olga = cast.clients["olga"]
    olga.post("/s/studio/members/invite/", {"role": Role.reviewer.value})
    page = olga.get("/s/studio/members/").content.decode()
    path = page.split('id="secret">')[1].split("</code>")[0].split("testserver")[1]
    assert 'id="secret"' not in olga.get("/s/studio/members/").content.decode()
    new = {"username": "ned", "password1": PASSWORD, "password2": PASSWORD}
    assert Client().post(path, new).headers["Location"] == "/s/studio/"
    assert Membership.objects.get(user__username="ned").role == Role.reviewer


def test_an_invitation_never_lowers_a_role(cast: Cast) -> None:
    secret = OneTimeLink.make(OneTimeLink.Purpose.invite, cast.space, Role.viewer)
    assert cast.clients["rui"].post(f"/link/{secret}/").status_code == 302
    assert Membership.objects.get(user__username="rui").role == Role.reviewer


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


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    import socket

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
