"""What only the studio itself may read: keys and tokens, encrypted at rest, and silent wherever values are shown."""

import base64
from typing import TYPE_CHECKING, Any, NoReturn

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from zoetrope.errors import UserError
from zoetrope.studio.keys import derived, read_secret

SHOWN = "(sealed)"
_MARK = "sealed:1:"
_UNREADABLE = (
    "A kept key or token cannot be read: secrets.key is not the one it was sealed with, or it is damaged. "
    "Everything else was kept; type the key in again, or connect the account again."
)


def seal(text: str) -> str:
    """A text that only this installation can read; the same text looks different each time."""
    return _MARK + _fernet().encrypt(text.encode("utf-8", "surrogatepass")).decode()


def unseal(text: str) -> str:
    """What was sealed, or one sentence where the key is another or the text is damaged."""
    try:
        if not text.startswith(_MARK):
            raise InvalidToken
        return _fernet().decrypt(text.removeprefix(_MARK)).decode("utf-8", "surrogatepass")
    except (InvalidToken, ValueError):
        raise UserError(_UNREADABLE) from None


def _fernet() -> Fernet:
    key = bytes.fromhex(derived(read_secret(settings.HOME), "sealed"))
    return Fernet(base64.urlsafe_b64encode(key))


class Secret:
    """A sealed value: it can be handed on and kept, and only `tell` says it."""

    __slots__ = ("sealed",)

    def __init__(self, sealed: str = "") -> None:
        self.sealed = sealed

    @classmethod
    def of(cls, value: "Secret | str | None") -> "Secret":
        """Seal a plain text; what is sealed stays as it is, and nothing stays nothing."""
        if isinstance(value, Secret):
            return value
        return cls(seal(value)) if value else cls()

    def tell(self) -> str:
        """The value itself: only for the call that needs it."""
        return unseal(self.sealed) if self.sealed else ""

    def __bool__(self) -> bool:
        return bool(self.sealed)

    def __repr__(self) -> str:
        return SHOWN if self.sealed else "(none)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.sealed == other.sealed

    def __hash__(self) -> int:
        return hash(self.sealed)

    def __reduce__(self) -> NoReturn:
        # A cache, a session or a job that kept it would take it out of the database's care.
        raise TypeError("A sealed value is not handed on in a pickle.")

    def __deepcopy__(self, memo: object) -> "Secret":
        return self


class _Sealing(DeferredAttribute):
    """Seals whatever is set, so that no row in memory holds the plain text."""

    def __set__(self, row: models.Model, value: "Secret | str | None") -> None:
        row.__dict__[self.field.attname] = Secret.of(value)


if TYPE_CHECKING:
    _Text = models.TextField[Secret | str, Secret]
else:
    _Text = models.TextField


class SealedField(_Text):
    """A text that the database holds encrypted. A row gives a `Secret`; forms and admin do not know the field."""

    descriptor_class = _Sealing

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"editable": False, "default": ""}
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for each in ("editable", "default"):
            kwargs.pop(each, None)
        return name, path, args, kwargs

    def from_db_value(self, value: str | None, *rest: object) -> Secret:
        """As the database holds it."""
        return Secret(value or "")

    def to_python(self, value: Any) -> Any:
        """From a dump, in which it lies sealed, or as somebody typed it."""
        return Secret(value) if isinstance(value, str) and value.startswith(_MARK) else Secret.of(value)

    def get_prep_value(self, value: Any) -> str:
        """As it is written: sealed."""
        return Secret.of(value).sealed

    def value_to_string(self, obj: models.Model) -> str:
        """In a dump: sealed."""
        return self.get_prep_value(self.value_from_object(obj))

    def formfield(self, **kwargs: Any) -> None:
        """No form has it: whoever sets it does so by name."""
        return None
