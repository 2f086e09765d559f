"""What the network does to a request decides what may be done next: real sockets on this machine.

Every case says how often the provider was asked: a batch that may have been accepted is repeated
only where the provider promises to know the repetition.
"""

from __future__ import annotations

import asyncio
import json
import socket
from concurrent.futures import Future, wait
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.loopback import CLOSED, DRIPPING, RESET, STALLED, Seen, Server, answer, in_turn
from tests.mailserver import self_signed

from remindctl.channels import AccountError, MaybeSent, NotSent, Outgoing, Receipt
from remindctl.channels.courier import MOST_TRIES, Courier
from remindctl.channels.exchange import Loop, Trouble, asked_pause
from remindctl.channels.http import Attempt, Facts, Preparation, Request, Response, Unreadable
from remindctl.model import Channel, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.loopback import Answer

NOW = datetime(2026, 6, 30, 7, 30, tzinfo=UTC)
DAY = timedelta(days=1)
LONG = 60  # seconds, for what must happen


def message(name: str = "m", closes_at: datetime | None = None) -> Outgoing:
    return Outgoing(
        id=name, key="6b", store="green", campaign="winback", step="day30", customer_key="a",
        channel=Channel.SMS, to="+821090000001", kind="phone", subject=None, text="다시 만나요",
        html=None, advertising=True, at=NOW, closes_at=closes_at,
    )  # fmt: skip


class Provider:
    """Takes ids, and is told the state of each."""

    def __init__(self, url: str, facts: Facts) -> None:
        self.url, self.facts = url, facts
        self.nonces: set[str] = set()

    def request(self, batch: Sequence[Outgoing], attempt: Attempt) -> Request:
        self.nonces.add(attempt.nonce)
        return Request(url=self.url, content=json.dumps([one.id for one in batch]).encode())

    def receipts(self, batch: Sequence[Outgoing], response: Response) -> Sequence[Receipt]:
        if response.status == 401:
            raise AccountError("the key is wrong")
        if response.status != 200:
            raise Unreadable(f"HTTP {response.status}")
        return [Receipt(one.id, State(response.json()[one.id])) for one in batch]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


def courier(
    loop: Loop, url: str, *, provider: type[Provider] = Provider, seconds: float = LONG, **more: Any
) -> Courier:
    rate, now = more.pop("rate", None), more.pop("now", lambda: datetime.now(UTC))
    made = Courier(
        provider(url, Facts(**more)), loop, now, 4, timedelta(seconds=seconds), rate=rate
    )
    made.first_pause = 0.001
    return made


def ended(future: Future[Sequence[Receipt]]) -> list[str] | type[BaseException]:
    """Return the states, or what was raised."""
    error = future.exception(LONG)
    return type(error) if error else [str(one.state) for one in future.result()]


OK, BAD = answer(body={"m": "sent"}), answer(body=b"<html>")
BUSY, DOWN, ALREADY_FAILED = answer(429), answer(503), answer(body={"m": "failed"})
CUT = OK[:-4]  # and then nothing


@pytest.mark.parametrize(
    ("answers", "safe_for", "end", "tries"),
    [
        ([OK], None, ["sent"], 1),
        ([answer(body={"m": "rejected"})], None, ["rejected"], 1),
        # Surely not accepted: always again.
        ([BUSY, BUSY, OK], None, ["sent"], 3),
        ([BUSY], None, NotSent, MOST_TRIES),
        ([answer(401)], DAY, AccountError, 1),
        # Maybe accepted: again only where a repetition is known.
        *[
            case
            for accident in (DOWN, RESET, CLOSED, BAD, answer(302, location="/other"), answer(404))
            for case in (
                ([accident, OK], None, MaybeSent, 1),
                ([accident, OK], DAY, ["sent"], 2),
                ([accident], DAY, MaybeSent, MOST_TRIES),
            )
        ],
        ([answer(body={"someone else": "sent"})], None, MaybeSent, 1),
        ([answer(body=b"[" * 100_000)], None, MaybeSent, 1),
        # Too late for a repetition whose answer would come while it is known.
        ([DOWN, OK], timedelta(seconds=LONG), MaybeSent, 1),
        # What happens to a repetition says nothing of the try before it.
        ([DOWN, BUSY], DAY, MaybeSent, MOST_TRIES),
        ([DOWN, answer(429, retry_after="3600")], DAY, MaybeSent, 2),
        ([DOWN, answer(401)], DAY, MaybeSent, 2),
        ([DOWN, ALREADY_FAILED], DAY, ["unknown"], 2),
        ([BUSY, ALREADY_FAILED], DAY, ["failed"], 2),
    ],
)
def test_an_answer_or_its_absence_decides_whether_to_try_again(
    loop: Loop, answers: list[Answer], safe_for: timedelta | None, end: object, tries: int
) -> None:
    with Server(in_turn(*answers)) as server:
        ours = courier(loop, server.url, repeat_safe_for=safe_for)
        assert ended(ours.submit([message()])) == end
        assert len(server.seen) == tries
        assert len(ours.provider.nonces) == tries  # type: ignore[attr-defined]
        assert {one.line for one in server.seen} == {"POST / HTTP/1.1"}


@pytest.mark.parametrize("accident", [STALLED, DRIPPING])
def test_an_answer_that_does_not_end_is_none(loop: Loop, accident: str) -> None:
    with Server(in_turn(accident)) as server:
        ours = courier(loop, server.url, seconds=0.3)
        assert ended(ours.submit([message()])) is MaybeSent
        assert len(server.seen) == 1


def test_an_answer_that_breaks_off_is_none(loop: Loop) -> None:
    with Server(in_turn(CUT)) as server:
        assert ended(courier(loop, server.url, seconds=0.3).submit([message()])) is MaybeSent


def test_what_never_connected_was_not_sent(loop: Loop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/secret"
        failed = courier(loop, url).submit([message()])
        assert ended(failed) is NotSent
        assert "secret" not in str(failed.exception())


def test_whose_certificate_cannot_be_trusted_gets_nothing(loop: Loop, tmp_path: Path) -> None:
    with Server(in_turn(OK), self_signed(tmp_path / "pem")) as server:
        failed = courier(loop, server.url).submit([message()])
        assert ended(failed) is NotSent
        assert "certificate" in str(failed.exception())
        assert not server.seen


def test_who_takes_a_connection_and_no_handshake_gets_nothing(loop: Loop) -> None:
    with Server(in_turn(OK)) as server:
        ours = courier(loop, server.url.replace("http", "https"), seconds=0.2)
        assert ended(ours.submit([message()])) is NotSent
        assert not server.seen


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2", 2.0),
        ("Tue, 30 Jun 2026 07:30:05 GMT", 5.0),
        ("Tue, 30 Jun 2026 07:29:00 GMT", 0.0),
        ("Tue, 30 Jun 2026 07:30:05", None),
        ("soon", None),
        ("²", None),
        ("", None),
    ],
)
def test_a_pause_that_is_asked_for_can_be_read(text: str, seconds: float | None) -> None:
    assert asked_pause(Response(status=429, headers={"retry-after": text}), NOW) == seconds


def test_a_pause_that_is_asked_for_holds_for_every_request(loop: Loop) -> None:
    with Server(in_turn(answer(429, retry_after="1"), OK)) as server:
        ours = courier(loop, server.url)
        first = ours.submit([message()])
        while not server.seen or ours._paused_until == 0.0:
            assert not first.done()
        assert [ended(one) for one in (first, ours.submit([message()]))] == [["sent"], ["sent"]]
        assert server.seen[1].at - server.seen[0].at >= 1.0


def test_who_asks_for_a_long_pause_is_left_for_the_next_run(loop: Loop) -> None:
    with Server(in_turn(answer(429, retry_after="3600"))) as server:
        assert ended(courier(loop, server.url).submit([message()])) is NotSent
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("rates", "messages", "seconds"),
    [({"rate": 20.0}, 1, 0.2), ({"rate": 40.0}, 2, 0.2), ({}, 1, 0.0)],
)
def test_a_rate_is_of_messages(
    loop: Loop, rates: dict[str, Any], messages: int, seconds: float
) -> None:
    with Server(in_turn(answer(body={"m": "sent"}))) as server:
        ours = courier(loop, server.url, batch_size=100, **rates)
        assert ours.batch_size == rates.get("rate", 100)
        wait([ours.submit([message()] * messages) for _ in range(5)], LONG)
        times = sorted(one.at for one in server.seen)
        # A loop's clock may run ahead of its timers by its resolution.
        assert times[-1] - times[0] >= seconds * 0.95


def test_stopping_ends_what_waits_and_not_what_is_on_its_way(loop: Loop) -> None:
    released = asyncio.Event()

    async def rule(seen: Seen) -> Answer:
        if b"slow" in seen.body:
            await released.wait()
            return answer(body={"slow": "sent"})
        return DOWN if b"doubt" in seen.body else answer(429, retry_after="50")

    with Server(rule) as server:
        ours = courier(loop, server.url, repeat_safe_for=DAY)
        ours.first_pause = 50.0
        slow, doubt = ours.submit([message("slow")]), ours.submit([message("doubt")])
        while len(server.seen) < 2:
            assert not doubt.done()
        busy = ours.submit([message("busy")])
        while len(server.seen) < 3 or ours._paused_until == 0.0:
            assert not busy.done()
        not_begun = ours.submit([message("late")])
        ours.stop("enough")
        assert [ended(one) for one in (busy, doubt, not_begun)] == [NotSent, MaybeSent, NotSent]
        assert str(busy.exception()) == "enough"
        server.loop.call_soon_threadsafe(released.set)
        assert ended(slow) == ["sent"]
        assert len(server.seen) == 3


def test_nothing_leaves_after_its_hours(loop: Loop) -> None:
    with Server(in_turn(answer(body={"m": "sent", "n": "sent"}))) as server:
        ours = courier(loop, server.url, now=lambda: NOW)
        late = [message(), message("n", closes_at=NOW)]
        assert ended(ours.submit(late)) is NotSent
        assert not server.seen
        in_time = [message(), message("n", closes_at=NOW + timedelta(seconds=1))]
        assert ended(ours.submit(in_time)) == ["sent", "sent"]


def test_a_clock_that_is_set_back_makes_no_repetition_safe(loop: Loop) -> None:
    times = iter([NOW] + [NOW - timedelta(hours=1)] * 100)
    with Server(in_turn(DOWN)) as server:
        safe_for = timedelta(seconds=LONG, milliseconds=200)
        ours = courier(loop, server.url, repeat_safe_for=safe_for, now=lambda: next(times))
        ours.first_pause = 0.05
        assert ended(ours.submit([message()])) is MaybeSent
        assert 1 < len(server.seen) < MOST_TRIES


class Token(Provider):
    """Asks for a token first, which is good for a while."""

    valid_for: timedelta | None = None

    def needs(self, _: Sequence[Outgoing], attempt: Attempt) -> Sequence[Preparation]:
        return [Preparation("token", Request(url=f"{self.url}/token/{attempt.nonce}"))]

    def prepared(self, _: str, response: Response) -> tuple[str, timedelta | None]:
        if response.status == 403:
            raise AccountError("no token for you")
        return response.json()["token"], self.valid_for

    def request(self, batch: Sequence[Outgoing], attempt: Attempt) -> Request:
        assert attempt.ready == {"token": "T"}
        return super().request(batch, attempt)


@pytest.mark.parametrize(
    ("tokens", "end", "asked"),
    [
        ([answer(body={"token": "T"})], ["sent"], 1),
        ([DOWN, BUSY, BAD, answer(body={"token": "T"})], ["sent"], 4),
        ([answer(403)], AccountError, 3),
    ],
)
def test_what_a_batch_needs_is_asked_for_once_and_never_leaves_doubt(
    loop: Loop, tokens: list[Answer], end: object, asked: int
) -> None:
    token = in_turn(*tokens)

    async def rule(seen: Seen) -> Answer:
        return await token(seen) if "/token" in seen.line else OK

    with Server(rule) as server:
        ours = courier(loop, server.url, provider=Token)
        assert {str(ended(one)) for one in [ours.submit([message()]) for _ in range(3)]} == {
            str(end)
        }
        lines = [one.line for one in server.seen if "/token" in one.line]
        assert len(lines) <= asked
        assert len(set(lines)) == len(lines)  # each anew: some providers refuse a signature twice


@contextmanager
def broken(what: Callable[..., object]) -> Iterator[type[Provider]]:
    yield type("Broken", (Provider,), {what.__name__: what})


def test_a_bug_before_the_request_sent_nothing_and_after_it_may_have(loop: Loop) -> None:
    def request(*_: object) -> Request:
        raise KeyError("+821090000001")

    def receipts(*_: object) -> Sequence[Receipt]:
        raise KeyError("+821090000001")

    with Server(in_turn(OK)) as server:
        for what, end in ((request, NotSent), (receipts, MaybeSent)):
            with broken(what) as provider:
                failed = courier(loop, server.url, provider=provider).submit([message()])
                assert ended(failed) is end
                assert "KeyError" in str(failed.exception())
                assert "82109" not in str(failed.exception())
        assert len(server.seen) == 1


def test_a_question_is_put_until_there_is_an_answer(loop: Loop) -> None:
    with Server(in_turn(BUSY, DOWN, RESET, answer(404, body="no"))) as server:
        ours = courier(loop, server.url)
        told = ours.ask(lambda _: Request(method="GET", url=server.url))
        assert (told.status, told.json(), len(server.seen)) == (404, "no", 4)
    with pytest.raises(NotSent):
        ours.ask(lambda _: Request(method="GET", url=server.url))


def test_the_proxy_of_the_machine_is_used(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(in_turn(OK)) as server:
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.setenv("no_proxy", "inside.example")
        assert ended(courier(loop, "http://shop.example/send").submit([message()])) == ["sent"]
        assert server.seen[0].line == "POST http://shop.example/send HTTP/1.1"


def test_what_is_given_up_at_the_end_is_told_so() -> None:
    loop = Loop()
    with Server(in_turn(STALLED)) as server:
        future = courier(loop, server.url).submit([message()])
        while not server.seen:
            assert not future.done()
        loop.close()
        assert isinstance(future.exception(LONG), Trouble)
