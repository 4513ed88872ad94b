"""Where other sites fetch a picture that is about to be posted, for two days: from a bucket, or from this site."""

import importlib
import ipaddress
import os
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.signing import BadSignature, TimestampSigner
from django.urls import reverse

from zoetrope.errors import UserError
from zoetrope.studio.publishing.channels.seam import Lost, Shot

PUBLIC = "ZOETROPE_PUBLIC_URL"
"""In the environment: where this site is reached from outside, as https://studio.example.org."""
BUCKET, ENDPOINT = "ZOETROPE_S3_BUCKET", "ZOETROPE_S3_ENDPOINT"
"""In the environment: a bucket to put pictures into, and where it is if that is not AWS."""
SECONDS = 2 * 24 * 60 * 60
_SEE = "see docs/publishing.md"
_signer = TimestampSigner(salt="outgoing")


def address(shot: Shot) -> str:
    """Anybody who knows it may fetch this one picture."""
    if os.environ.get(BUCKET):
        return _put(shot)
    return public_base() + reverse("outgoing", args=[signed(shot.sha256)])


def signed(name: str) -> str:
    """How an address names a picture, for two days."""
    return _signer.sign(name)


def named(signed: str) -> str | None:
    """The picture that an address stands for; None where it was not given out, or too long ago."""
    try:
        return _signer.unsign(signed, max_age=SECONDS)
    except BadSignature:
        return None


def public_base() -> str:
    """How this site is reached from outside."""
    base = os.environ.get(PUBLIC, "").strip().rstrip("/")
    if not base:
        raise UserError(f"Instagram fetches pictures from a public address: set {PUBLIC} or {BUCKET}, {_SEE}.")
    try:
        parts = urlsplit(base)
        more = parts.query or parts.fragment or parts.username
        well = parts.scheme in ("http", "https") and parts.hostname and not more
    except ValueError:
        well = False
    if not well:
        raise UserError(f"{PUBLIC} is no address such as https://studio.example.org, {_SEE}.")
    return base


def trouble() -> str:
    """Why no picture can be fetched, as far as that can be told beforehand; empty when all looks well."""
    try:
        if os.environ.get(BUCKET):
            _storage()
        elif _only_here(urlsplit(public_base()).hostname or ""):
            return f"{PUBLIC} names an address that only this network knows: Instagram cannot fetch pictures there."
    except UserError as error:
        return str(error)
    return ""


def _only_here(host: str) -> bool:
    """Whether a name leads nowhere from outside; no name is looked up for it."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".localhost", ".internal", ".home.arpa"))


def _put(shot: Shot) -> str:
    """Into the bucket, if it is not there yet; where it is for two days."""
    name = shot.sha256
    storage, key = _storage(), f"outgoing/{name[:2]}/{name}.jpg"
    faults = importlib.import_module("botocore.exceptions")
    try:
        if not storage.exists(key):
            storage.save(key, ContentFile(shot.file.read_bytes()))
        return str(storage.url(key))
    except (OSError, faults.BotoCoreError, faults.ClientError) as error:
        # What it says of itself may hold a signed address.
        raise Lost(f"The bucket in {BUCKET} could not be used ({type(error).__name__}).") from None


def _storage() -> Any:
    """The bucket; keys and region come from the variables that every S3 program reads."""
    try:
        backend = importlib.import_module("storages.backends.s3")
    except (ImportError, ImproperlyConfigured):
        raise UserError(f"{BUCKET} is set, but S3 is not installed: pip install 'zoetrope[s3]'.") from None
    # Private files, and no copy under another name: a file is named by the hash of what it is made of.
    about = {"default_acl": None, "file_overwrite": True, "querystring_auth": True, "querystring_expire": SECONDS}
    where = {"bucket_name": os.environ[BUCKET], "endpoint_url": os.environ.get(ENDPOINT) or None}
    return backend.S3Storage(**about, **where, signature_version="s3v4", location="", custom_domain=None)
