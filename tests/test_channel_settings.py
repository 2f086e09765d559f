"""What an account lacks is told together and without a value; so is what a provider answers."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remindctl.channels.http import Response, Unreadable
from remindctl.channels.provider import Account
from remindctl.channels.reading import DETAIL_CHARACTERS, additions, detail, fields
from remindctl.channels.settings import Settings
from remindctl.errors import Refused


def account(**settings: str) -> Account:
    return Account("mail", settings, Path(), io.StringIO())


def test_everything_wrong_is_told_at_once_and_no_value_with_it() -> None:
    given = account(sid="oops-1", key="se cret", url="http://shop.example", forn="typo-2")
    read = Settings(given)
    assert read.text("sid", "sid: AC…", "AC[0-9]+") == ""
    assert read.text("sender", "sender: …") == ""
    read.token("key", "key: ${KEY}")
    read.web("url", "url: https://…")
    with pytest.raises(Refused) as refused:
        read.checked()
    assert [str(problem) for problem in refused.value.problems] == [
        "providers.mail.sid: is not what it should be",
        "providers.mail.sender: is missing",
        "providers.mail.key: holds a blank, a line end or a letter outside ASCII",
        "providers.mail.url: is no address that messages may be sent to",
        "providers.mail.forn: is no setting of this provider",
    ]
    said = repr(refused.value.problems)
    assert "it has key, sender, sid, url" in said
    assert not re.search(r"oops-1|se cret|shop\.example|typo-2", said)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://shop.example/hook/", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080/x", True),
        ("http://localhost/x", True),
        ("http://localhost.example/x", False),
        ("http://10.0.0.1/x", False),
        ("ftp://shop.example", False),
        ("https://", False),
        ("https://[", False),
        ("https://shop.example/a b", False),
        ("https://shop.example/가", False),
    ],
)
def test_messages_leave_encrypted_or_stay_on_this_machine(url: str, safe: bool) -> None:
    read = Settings(account(url=url))
    assert read.web("url", "url: https://…") == url
    if safe:
        read.checked()
    else:
        with pytest.raises(Refused):
            read.checked()


def test_a_line_end_that_came_along_with_a_secret_is_left_out() -> None:
    read = Settings(account(key="re_123\r\n", empty=""))
    assert read.token("key", "key: ${KEY}") == "re_123"
    assert read.optional("empty", "empty: …") is None
    assert read.web("base_url", "base_url: …", "https://api.example") == "https://api.example"
    read.checked()


def test_an_answer_is_an_object_or_unreadable() -> None:
    assert fields(Response(status=200, content=b'{"id": 1}')) == {"id": 1}
    for content in (b"", b"[]", b"<html>", b"null", b"\xff"):
        with pytest.raises(Unreadable):
            fields(Response(status=200, content=content))
        assert additions(Response(status=200, content=content)) == {}


ADDRESSES = [
    "kim@example.com",
    "+12025550100",
    "(202) 555-0100",
    "010-9000-1234",
    "https://shop.example/u?1",
]


@given(
    address=st.sampled_from(ADDRESSES),
    before=st.text(max_size=20),
    after=st.text(alphabet="abc .,'\"<>", max_size=200),
)
def test_what_is_kept_of_an_answer_is_short_and_names_nobody(
    address: str, before: str, after: str
) -> None:
    kept = detail(f"{before} {address} {after} hush", "hush") or ""
    assert len(kept) <= DETAIL_CHARACTERS
    assert "hush" not in kept
    assert not re.search(r"kim@|555.?0100|9000-1234|shop\.example", kept)


def test_what_is_no_address_is_kept() -> None:
    assert detail("The `to` field is missing (code 21604).") == (
        "The `to` field is missing (code 21604)."
    )
    assert detail(None) is None
