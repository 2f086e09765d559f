"""SMTP against a real mail server: what arrives, and what is known when something breaks."""

from __future__ import annotations

import io
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mailserver import HANG_UP, PASSWORD, SILENCE, USER, Box, mail_server, self_signed

from remindctl.channels.http import AccountError
from remindctl.channels.provider import Account, MaybeSent, NotSent, Outgoing
from remindctl.channels.smtp import Smtp
from remindctl.channels.smtp.mail import ascii_address, mailbox, written
from remindctl.channels.smtp.server import Server
from remindctl.errors import Refused
from remindctl.model import Channel, State

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDED = Path(__file__).parent / "data" / "providers" / "smtp_stdlib_message_headers_fixed.txt"
LINK = f"https://shop.example/u/{'t' * 90}"
SHOP = "산소가게 <news@shop.example>"


def message(**more: Any) -> Outgoing:
    return Outgoing(
        **{
            "id": "k-p-0",
            "key": "k",
            "store": "green",
            "campaign": "c1",
            "step": "s",
            "customer_key": "a",
            "channel": Channel.EMAIL,
            "to": "hong@example.net",
            "kind": "email",
            "subject": "(광고) 산소가 떨어질 때가 됐어요",
            "text": "안녕하세요\n.\n..\n",
            "html": None,
            "advertising": True,
            "extras": {"unsubscribe": LINK},
            "at": datetime(2026, 1, 1, tzinfo=UTC),
            **more,
        }
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls") / "server.pem")


def account(box: Box, **settings: str) -> Account:
    given = {"host": "localhost", "port": str(box.port), "security": "none", "from": SHOP}
    return Account("mail", {**given, **settings}, Path(), io.StringIO())


@contextmanager
def smtp(box: Box, **settings: str) -> Iterator[Smtp]:
    with closing(Smtp.of(account(box, **settings))) as provider:
        yield provider


def test_the_headers_are_those_of_the_recording() -> None:
    recorded = message_from_bytes(RECORDED.read_bytes().split(b"\n\n", 1)[1], policy=policy.default)
    mail = message(
        id="campaign-c1.order-1",
        subject=str(recorded["Subject"]),
        html="<p>안녕하세요</p>",
        extras={"unsubscribe": recorded["List-Unsubscribe"].split(",")[0].strip("<>")},
    )
    sender = mailbox(str(recorded["From"]))
    assert sender is not None
    raw = written(mail, sender, "hong@example.net")
    ours = message_from_bytes(raw, policy=policy.default)
    assert list(ours.keys()) == list(recorded.keys())
    # The name of the recipient and a second way to unsubscribe are the recorder's own.
    for name in set(recorded.keys()) - {"To", "List-Unsubscribe", "Content-Type"}:
        assert str(ours[name]) == str(recorded[name])
    assert parseaddr(ours["To"])[1] == parseaddr(recorded["To"])[1]
    assert ours.get_content_type() == recorded.get_content_type()
    assert raw == written(mail, sender, "hong@example.net")


@given(
    subject=st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<>"), max_size=60),
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    id_=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80),
    tail=st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
)
def test_nothing_that_is_written_leaves_its_place(
    subject: str, name: str, text: str, id_: str, tail: str
) -> None:
    sender = mailbox(f"{name} <news@shop.example>")
    assert sender is not None
    link = f"https://shop.example/u/{tail}"
    mail = message(subject=subject, text=text, id=id_, html=text, extras={"unsubscribe": link})
    raw = written(mail, sender, "hong@example.net")
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    head = raw.split(b"\r\n\r\n", 1)[0].decode().split("\r\n")
    [link_line] = [line for line in head if line.startswith("List-Unsubscribe:")]
    assert link_line.startswith("List-Unsubscribe: <https://shop.example/u/")
    assert link_line.endswith(">")
    assert link_line.count(" ") == 1
    assert head.count("List-Unsubscribe-Post: List-Unsubscribe=One-Click") == 1
    read = message_from_bytes(raw, policy=policy.default)
    assert [name for name, _ in read.items()] == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "MIME-Version",
        "Content-Type",
    ]
    assert read["From"].addresses[0].addr_spec == "news@shop.example"
    plain, html = read.iter_parts()
    assert plain.get_content().splitlines() == html.get_content().splitlines()


@pytest.mark.parametrize(
    "text", ["짧은", "사료가 떨어질 때예요 " * 20, "plain", "a" * 200, "x, y; (z)"]
)
def test_a_subject_and_a_name_arrive_as_they_were_written(text: str) -> None:
    sender = mailbox(f"{text} <news@shop.example>")
    assert sender is not None
    raw = written(message(subject=text), sender, "hong@example.net")
    # The newer reader of the standard library puts blanks between the words of a long name.
    read = message_from_bytes(raw)
    subject, sent_by = (str(make_header(decode_header(read[key]))) for key in ("Subject", "From"))
    assert subject == text.strip()
    assert " ".join(sent_by.replace('"', "").split()) == f"{text.strip()} <news@shop.example>"
    assert max(map(len, raw.splitlines())) < 998


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_e_mail_arrives_over_tls(certificate: Path, security: str) -> None:
    secret = {"username": USER, "password": PASSWORD, "ca_file": str(certificate)}
    with (
        mail_server(certificate, security) as box,
        smtp(box, security=security, **secret) as provider,
    ):
        mail = message(text=".\n..\nHi", html="<p>안녕</p>", to="hong@가게.example")
        [receipt] = provider.send([mail])
        assert provider.check() == f"localhost:{box.port} answers, with a login"
    assert receipt.state is State.SENT
    assert receipt.code == "250 2.0.0"
    assert receipt.detail == "2.0.0 Ok: queued as 4F3"
    assert receipt.provider_id == "k-p-0@shop.example"
    assert box.logins == 2
    [(to, _)] = box.mails
    assert to == "hong@xn--o39akk.example"
    [read] = box.parsed()
    assert read["To"] == "hong@xn--o39akk.example"
    plain, html = read.iter_parts()
    assert plain.get_content().splitlines() == [".", "..", "Hi"]
    assert html.get_content().strip() == "<p>안녕</p>"


def test_the_stores_own_sender_is_used_where_the_provider_names_none() -> None:
    with mail_server() as box, smtp(box, **{"from": ""}) as provider:
        provider.send([message(extras={"from": "Green, Inc. <hi@green.example>"})])
        [read] = box.parsed()
        with pytest.raises(AccountError, match="no sender"):
            provider.send([message()])
    assert read["From"] == '"Green, Inc." <hi@green.example>'
    assert read["Message-ID"] == "<k-p-0@green.example>"
    assert "List-Unsubscribe" not in read


@pytest.mark.parametrize(
    ("stage", "reply", "state", "suppress"),
    [
        ("rcpt", "550 5.1.1 <hong@example.net>: no such user", State.REJECTED, "dead"),
        ("content", "550 5.1.10 no mail here", State.REJECTED, "dead"),
        ("rcpt", "550 mailbox unavailable", State.REJECTED, None),
        ("rcpt", "552 5.2.2 mailbox full", State.REJECTED, None),
        ("content", "554 5.7.1 looks like spam to us", State.REJECTED, None),
        ("rcpt", "450 4.2.1 greylisted", State.FAILED, None),
        ("data", "451 4.3.0 try later", State.FAILED, None),
        ("content", "452 4.3.1 no room", State.FAILED, None),
        ("content", "252 taken, I think", State.SENT, None),
    ],
)
def test_a_reply_about_the_message_is_its_receipt(
    stage: str, reply: str, state: State, suppress: str | None
) -> None:
    with (
        mail_server(says={stage: lambda n: reply if n == 0 else None}) as box,
        smtp(box) as provider,
    ):
        [receipt] = provider.send([message()])
        [after] = provider.send([message()])
    assert (receipt.state, receipt.suppress) == (state, suppress)
    assert receipt.code == " ".join(reply.split()[: 2 if "." in reply.split()[1] else 1])
    assert receipt.detail is not None
    assert "hong" not in receipt.detail
    assert (after.state, box.connections) == (State.SENT, 1)


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        ("mail", "550 5.7.60 not permitted to send as this sender"),
        ("mail", "530 5.7.0 Authentication required"),
        ("rcpt", "550 5.4.5 Daily user sending limit exceeded"),
        ("rcpt", "450 4.1.8 Domain of sender address not found"),
        ("content", "550 5.7.515 Access denied, sending domain is not authenticated"),
        ("content", "550 5.7.26 This mail has been blocked because the sender is unauthenticated"),
        ("content", "421 4.7.28 unusual rate of mail from your DKIM domain"),
    ],
)
def test_a_reply_about_the_sender_stops_everything(stage: str, reply: str) -> None:
    with (
        mail_server(says={stage: reply}) as box,
        smtp(box) as provider,
        pytest.raises(AccountError, match=reply[:3]),
    ):
        provider.send([message()])
    assert box.mails == []


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        ("connect", "554 5.3.2 not today"),
        ("connect", HANG_UP),
        ("mail", HANG_UP),
        ("mail", "421 4.3.2 closing"),
        ("mail", "451 4.3.0 try later"),
        ("rcpt", HANG_UP),
        ("rcpt", "454 4.7.0 daily quota"),
        ("rcpt", "no reply at all"),
        ("data", HANG_UP),
        ("data", "250 what message?"),
        ("content", "421 4.3.2 closing"),
    ],
)
def test_what_was_not_confirmed_and_had_not_left_is_not_sent(stage: str, reply: str) -> None:
    with mail_server(says={stage: reply}) as box, smtp(box) as provider:
        with pytest.raises(NotSent) as refusal:
            provider.send([message()])
        assert not isinstance(refusal.value, AccountError)
    assert (box.mails, box.connections) == ([], 1)


@pytest.mark.parametrize("reply", [HANG_UP, "huh?", "354 go on"])
def test_what_had_left_and_was_not_confirmed_may_have_been_sent(reply: str) -> None:
    with (
        mail_server(says={"content": reply}) as box,
        smtp(box) as provider,
        pytest.raises(MaybeSent) as lost,
    ):
        provider.send([message()])
    assert "hong" not in str(lost.value)
    assert box.connections == 1


@pytest.mark.parametrize(("stage", "outcome"), [("rcpt", NotSent), ("content", MaybeSent)])
def test_a_server_that_falls_silent_is_not_waited_for_for_ever(
    stage: str, outcome: type[Exception]
) -> None:
    short = timedelta(milliseconds=50)
    with mail_server(says={stage: SILENCE}) as box:
        tls = ssl.create_default_context()
        server = Server(host="localhost", port=box.port, security="none", tls=tls)
        quick = replace(server, timeout=short, patience=short)
        with closing(Smtp(quick, mailbox(SHOP))) as provider, pytest.raises(outcome):
            provider.send([message()])


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("reply", [HANG_UP, "421 4.4.2 idle for too long"])
def test_a_connection_that_died_while_idle_is_opened_again(stage: str, reply: str) -> None:
    with (
        mail_server(says={stage: lambda n: reply if n == 1 else None}) as box,
        smtp(box) as provider,
    ):
        for _ in range(3):
            assert provider.send([message()])[0].state is State.SENT
    assert (len(box.mails), box.connections) == (3, 2)


@pytest.mark.parametrize("reply", [HANG_UP, "huh?"])
def test_a_message_that_was_lost_on_an_idle_connection_is_not_sent_again(reply: str) -> None:
    with (
        mail_server(says={"content": lambda n: reply if n == 1 else None}) as box,
        smtp(box) as provider,
    ):
        provider.send([message()])
        with pytest.raises(MaybeSent):
            provider.send([message()])
    assert (len(box.mails), box.seen["content"], box.connections) == (1, 2, 1)


def test_threads_share_the_connections() -> None:
    ids = [f"k-{number}-0" for number in range(60)]
    with (
        mail_server() as box,
        smtp(box) as provider,
        ThreadPoolExecutor(provider.concurrency) as threads,
    ):
        receipts = list(threads.map(lambda id_: provider.send([message(id=id_)])[0], ids))
    assert [receipt.id for receipt in receipts] == ids
    assert sorted(read["Message-ID"] for read in box.parsed()) == sorted(
        f"<{id_}@shop.example>" for id_ in ids
    )
    assert box.connections <= provider.concurrency


def test_a_login_is_refused_without_saying_it(certificate: Path) -> None:
    wrong = {"username": USER, "password": "wrong-secret", "ca_file": str(certificate)}
    with mail_server(certificate, "starttls") as box:
        with (
            smtp(box, security="starttls", **wrong) as provider,
            pytest.raises(AccountError, match="refuses the login: 535") as refused,
        ):
            provider.send([message()])
        assert "wrong-secret" not in str(refused.value)
        without = {"security": "starttls", "ca_file": str(certificate)}
        with smtp(box, **without) as provider, pytest.raises(AccountError, match="530"):
            provider.send([message()])
    assert box.mails == []


def test_nothing_is_sent_in_the_clear_or_to_a_stranger(certificate: Path) -> None:
    with (
        mail_server() as box,
        smtp(box, security="starttls", username=USER, password=PASSWORD) as provider,
        pytest.raises(AccountError, match="no STARTTLS"),
    ):
        provider.send([message()])
    for security in ("starttls", "tls"):
        with (
            mail_server(certificate, security) as box,
            smtp(box, security=security) as provider,
            pytest.raises(NotSent, match="certificate is not good"),
        ):
            provider.send([message()])
        assert box.logins == 0
    with pytest.raises(NotSent, match="no connection to localhost"), smtp(box) as provider:
        provider.send([message()])


def test_a_server_without_a_login_is_told_apart_from_a_refused_one() -> None:
    with mail_server() as box, smtp(box, username=USER, password=PASSWORD) as provider:
        provider.send([message()])
        assert box.logins == 1
        with pytest.raises(AccountError), smtp(box, username=USER, password="no") as other:
            other.check()


@pytest.mark.parametrize(
    "to", ["", "no address", "a@b\r\nRCPT TO:<x@example.com>", "홍@example.com", "a@b>c", "a@-..kr"]
)
def test_an_address_that_no_server_takes_is_rejected_unasked(to: str) -> None:
    with mail_server() as box, smtp(box) as provider:
        [receipt] = provider.send([message(to=to)])
    assert (receipt.state, box.connections) == (State.REJECTED, 0)
    assert ascii_address("two..dots.@docomo.example") == "two..dots.@docomo.example"


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"host": ""}, {"host"}),
        ({"host": "smtp.example"}, {"security"}),
        ({"security": "ssl"}, {"security"}),
        ({"port": "0"}, {"port"}),
        ({"port": "70000"}, {"port"}),
        ({"port": "smtp"}, {"port"}),
        ({"username": USER}, {"password"}),
        ({"password": PASSWORD}, {"username"}),
        ({"username": USER, "password": "비밀번호"}, {"password"}),
        ({"from": "Shop"}, {"from"}),
        ({"from": "a..b@shop.example"}, {"from"}),
        ({"ca_file": "missing.pem"}, {"ca_file"}),
        ({"user": USER, "host": "smtp.example"}, {"user", "security"}),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(
    settings: dict[str, str], wrong: set[str]
) -> None:
    with pytest.raises(Refused) as refused:
        Smtp.of(account(Box(port=25), **settings))
    places = {problem.place.path for problem in refused.value.problems}
    assert places >= {f"providers.mail.{key}" for key in wrong}
    assert all(problem.hint for problem in refused.value.problems)
    assert "비밀번호" not in str(refused.value)


def test_ports_follow_the_security() -> None:
    for security, port in (("starttls", 587), ("tls", 465), ("none", 25)):
        provider = Smtp.of(account(Box(), port="", security=security))
        assert provider._server.port == port
        assert PASSWORD not in repr(replace(provider._server, password=PASSWORD))
