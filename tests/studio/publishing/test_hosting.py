"""Where a picture that goes out can be fetched: by this site's signed addresses, or from a bucket."""

import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.studio.conftest import Cast
from zoetrope.errors import UserError
from zoetrope.media.files import write_atomic
from zoetrope.studio.publishing import hosting
from zoetrope.studio.publishing.channels.seam import Lost, Shot
from zoetrope.studio.publishing.hosting import address, named, trouble
from zoetrope.studio.publishing.outgoing import file_of

NAME = "ab" * 32
SITE = "https://studio.example.org"


def shot() -> Shot:
    """A picture that was made ready."""
    return Shot(NAME, "", b"", file_of(NAME))


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (hosting.PUBLIC, hosting.BUCKET, hosting.ENDPOINT):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def picture(own_home: Path) -> bytes:
    data = b"\xff\xd8 a picture"
    write_atomic(file_of(NAME), data, durable=False)
    return data


def path_of(where: str) -> str:
    return where.removeprefix(SITE)


def test_whoever_has_the_address_fetches_that_picture(
    cast: Cast, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hosting.PUBLIC, f"{SITE}/")
    where = address(shot())
    assert where.startswith(f"{SITE}/out/{NAME}")
    assert where.endswith(".jpg")
    for client in (cast.clients["nobody"], cast.clients["sam"]):
        answer = client.get(path_of(where))
        assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, picture, "image/jpeg")
        head = client.head(path_of(where))
        assert (head.status_code, head.content, head["Content-Type"]) == (200, b"", "image/jpeg")
    assert cast.clients["nobody"].post(path_of(where)).status_code == 405


@pytest.mark.parametrize(
    "signed", [NAME, f"{NAME}:1abc2d:nonsense", "../../secrets.key", f"{NAME[:-1]}c", "%2e%2e%2fsecrets.key:1:2"]
)
@pytest.mark.django_db
def test_only_what_was_signed_is_given_out(picture: bytes, signed: str) -> None:
    assert named(signed) is None
    for method in ("get", "head"):
        assert getattr(Client(), method)(f"/out/{signed}.jpg").status_code == 404


@pytest.mark.django_db
def test_for_another_picture_the_signature_does_not_hold(picture: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hosting.PUBLIC, SITE)
    other = path_of(address(shot())).replace(NAME, "cd" * 32)
    write_atomic(file_of("cd" * 32), b"another", durable=False)
    assert Client().get(other).status_code == 404


@pytest.mark.django_db
def test_two_days_later_it_is_no_address_any_more(picture: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hosting.PUBLIC, SITE)
    where, now = path_of(address(shot())), time.time()
    monkeypatch.setattr("django.core.signing.time.time", lambda: now + hosting.SECONDS - 10)
    assert Client().get(where).status_code == 200
    monkeypatch.setattr("django.core.signing.time.time", lambda: now + hosting.SECONDS + 10)
    assert Client().get(where).status_code == 404
    assert Client().get(path_of(address(shot()))).status_code == 200, "it was signed anew"


@pytest.mark.django_db
def test_a_picture_that_is_gone_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hosting.PUBLIC, SITE)
    assert Client().get(path_of(address(shot()))).status_code == 404


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "set ZOETROPE_PUBLIC_URL or ZOETROPE_S3_BUCKET"),
        ("studio.example.org", "no address"),
        ("ftp://studio.example.org", "no address"),
        ("https://", "no address"),
        ("https://studio.example.org/?a=b", "no address"),
        ("https://me:secret@studio.example.org", "no address"),
        ("https://[", "no address"),
    ],
)
def test_what_is_no_public_address_is_said_in_a_sentence(
    value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hosting.PUBLIC, value)
    with pytest.raises(UserError, match=says) as error:
        address(shot())
    assert "secret@" not in str(error.value)
    assert trouble() == str(error.value)


@pytest.mark.parametrize(
    ("value", "well"),
    [
        (SITE, True),
        ("https://studio.example.org/under/a/path", True),
        ("https://93.184.215.14", True),
        ("http://127.0.0.1:8420", False),
        ("http://localhost:8420", False),
        ("http://192.168.1.5", False),
        ("http://[::1]:8420", False),
        ("http://studio.local", False),
        ("http://studio", False),
    ],
)
def test_an_address_that_only_this_network_knows_is_warned_about(
    value: str, well: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hosting.PUBLIC, value)
    assert (trouble() == "") is well
    # For a rehearsal with a server of one's own it is used all the same.
    assert address(shot()).startswith(f"{value}/out/")


class Faults(ModuleType):
    """As botocore's module of exceptions."""

    class BotoCoreError(Exception):
        """Without an answer."""

    class ClientError(Exception):
        """With one."""


class Bucket:
    """As the storage of django-storages, over a dictionary."""

    files: dict[str, bytes]
    about: dict[str, Any]
    fails: Exception | None = None

    def __init__(self, **about: Any) -> None:
        Bucket.about = about

    def exists(self, name: str) -> bool:
        if Bucket.fails:
            raise Bucket.fails
        return name in Bucket.files

    def save(self, name: str, content: Any) -> str:
        Bucket.files[name] = content.read()
        return name

    def url(self, name: str) -> str:
        return f"https://bucket.example.org/{name}?X-Amz-Expires={self.about['querystring_expire']}"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> type[Bucket]:
    Bucket.files, Bucket.fails = {}, None
    backend = ModuleType("storages.backends.s3")
    backend.S3Storage = Bucket  # type: ignore[attr-defined]
    for name in ("storages", "storages.backends", "botocore"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "storages.backends.s3", backend)
    monkeypatch.setitem(sys.modules, "botocore.exceptions", Faults("botocore.exceptions"))
    monkeypatch.setenv(hosting.BUCKET, "pictures")
    return Bucket


def test_a_picture_is_put_into_the_bucket_once_and_has_a_presigned_address(
    picture: bytes, bucket: type[Bucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hosting.ENDPOINT, "https://s3.example.org")
    monkeypatch.setenv(hosting.PUBLIC, SITE)
    key = f"outgoing/ab/{NAME}.jpg"
    assert address(shot()) == f"https://bucket.example.org/{key}?X-Amz-Expires=172800"
    assert bucket.files == {key: picture}
    file_of(NAME).unlink()
    assert address(shot()), "it lies there already"
    assert (bucket.about["bucket_name"], bucket.about["endpoint_url"]) == ("pictures", "https://s3.example.org")
    assert (bucket.about["default_acl"], bucket.about["querystring_auth"]) == (None, True)
    assert trouble() == ""


def test_a_bucket_that_fails_is_tried_again_and_tells_no_secret(picture: bytes, bucket: type[Bucket]) -> None:
    for fault in (Faults.ClientError("X-Amz-Signature=secret"), Faults.BotoCoreError("secret"), OSError("secret")):
        bucket.fails = fault
        with pytest.raises(Lost) as lost:
            address(shot())
        assert type(fault).__name__ in str(lost.value)
        assert "secret" not in str(lost.value)
        assert lost.value.__cause__ is None


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hosting.BUCKET, "pictures")
    for name in ("storages", "storages.backends", "storages.backends.s3"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=r"pip install 'zoetrope\[s3\]'"):
        address(shot())
    assert "pip install" in trouble()


def test_the_address_of_the_view_is_the_one_that_is_signed() -> None:
    assert reverse("outgoing", args=["x:y:z"]) == "/out/x:y:z.jpg"
