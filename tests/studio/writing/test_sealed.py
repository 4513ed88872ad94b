"""Sealed values: only this installation reads them, and nothing shows them."""

import copy
import json
import logging
import pickle
from pathlib import Path

import pytest
from django.conf import settings
from django.core import serializers
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.forms import modelform_factory
from hypothesis import given
from hypothesis import strategies as st

from tests.studio.conftest import Cast
from zoetrope.errors import UserError
from zoetrope.studio.keys import NAME
from zoetrope.studio.sealed import SHOWN, Secret, seal, unseal
from zoetrope.studio.writing.models import WriterSettings

KEY = "sk-a-very-secret-key-0123456789"


@given(st.text(st.characters(codec="utf-8")))
def test_what_is_sealed_comes_back_and_looks_different_each_time(text: str) -> None:
    one, other = seal(text), seal(text)
    assert unseal(one) == unseal(other) == text
    assert one != other
    assert len(text) < 8 or text not in one


@pytest.mark.parametrize("text", ["", "plain", "sealed:1:", "sealed:1:damaged", "sealed:1:" + "A" * 200, "sealed:1:ä"])
def test_damaged_text_is_one_sentence(text: str) -> None:
    with pytest.raises(UserError, match=r"cannot be read: secrets\.key") as caught:
        unseal(text)
    assert caught.value.__cause__ is None


def test_one_changed_letter_is_noticed() -> None:
    sealed = seal(KEY)
    place = len(sealed) // 2
    changed = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
    with pytest.raises(UserError, match="damaged"):
        unseal(changed)


def test_another_installation_cannot_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = seal(KEY)
    (tmp_path / NAME).write_bytes(b"x" * 32)
    monkeypatch.setattr(settings, "HOME", tmp_path)
    with pytest.raises(UserError, match=r"secrets\.key is not the one"):
        unseal(sealed)
    assert unseal(seal(KEY)) == KEY


def test_a_row_shows_its_secret_to_nobody(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    row = WriterSettings.objects.create(space=cast.space, key=KEY)
    logging.getLogger("a test").warning("%s %r %s", row.key, row.__dict__, [row.key])
    shown = [repr(row.key), f"{row.key}", str(row.__dict__), repr(vars(row)), caplog.text, repr(row)]
    for form in ("json", "xml", "jsonl"):
        shown.append(serializers.serialize(form, [row]))
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM writing_writersettings")
        shown.append(cursor.fetchone()[0])
    assert KEY not in " ".join(shown)
    assert SHOWN in caplog.text
    for leave in (lambda: json.dumps(row.key, cls=DjangoJSONEncoder), lambda: pickle.dumps(row.key)):
        with pytest.raises(TypeError):
            leave()
    assert WriterSettings.objects.get().key.tell() == KEY


def test_it_can_be_set_changed_dumped_and_taken_out(cast: Cast) -> None:
    row = WriterSettings.objects.create(space=cast.space, key=KEY)
    dumped = serializers.serialize("json", [row])
    WriterSettings.objects.update(key="another")
    row.refresh_from_db()
    assert row.key.tell() == "another"
    for each in serializers.deserialize("json", dumped):
        each.save()
    row.refresh_from_db()
    assert row.key.tell() == KEY
    # A copy of a row carries it on, and saving a row without a change leaves it as it is.
    again = copy.deepcopy(row)
    again.save()
    assert WriterSettings.objects.get().key == row.key
    row.key = ""
    row.save()
    row.refresh_from_db()
    assert (bool(row.key), row.key.tell(), repr(row.key)) == (False, "", "(none)")
    assert list(WriterSettings.objects.filter(key="").values_list("pk", flat=True)) == [row.pk]


def test_no_form_asks_for_it_or_shows_it() -> None:
    assert "key" not in modelform_factory(WriterSettings, fields=["kind", "model"])().fields
    assert not WriterSettings._meta.get_field("key").editable


def test_two_secrets_are_the_same_only_where_their_seals_are() -> None:
    one = Secret.of(KEY)
    assert one == Secret(one.sealed)
    assert one != Secret.of(KEY)
    assert one != KEY
    assert len({one, Secret(one.sealed)}) == 1
