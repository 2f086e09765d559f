"""Claim, send, settle: whatever a provider does, no one is messaged twice and nothing is lost."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import Future
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.channels import AccountError, Direct, MaybeSent, NotSent, Outgoing, Receipt
from remindctl.dispatch import MOST_FAILURES, Dispatched, Dispatcher
from remindctl.frames import ADDRESSES, SUPPRESSIONS, Addresses, Suppressions, conform, empty
from remindctl.model import Campaign, Family, Policy, Purpose, State, Store
from remindctl.plan import HELD, MESSAGES, Plan
from remindctl.profiles import Profiles
from remindctl.sendlog import (
    Filter,
    LogError,
    OptOut,
    SendingLogs,
    code_hash,
    open_logs,
    text_hash,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from remindctl.channels import Sender
    from remindctl.frames import Identifiers

NOW = datetime(2025, 6, 30, 7, 30, tzinfo=UTC)
STORE = Store(
    key="green",
    name="초록상점",
    timezone="Asia/Seoul",
    country="KR",
    currency="KRW",
    policy=Policy(preset="KR"),
)

# A person is what the files of one load know them by; the first name is where messages go.
Known = tuple[str, ...]


def plan_of(
    people: Sequence[Known],
    key: str,
    control: Sequence[int],
    purpose: Purpose,
    more: Mapping[str, Sequence[Any]],
) -> Plan:
    """Plan one message of ``key`` to each person, and hold those of the control group.

    Args:
        more: further columns, a value per person.
    """
    rows = [
        {
            "key": key.encode().hex(),
            "entry": key.encode().hex(),
            "campaign": "winback",
            "step": "day30",
            "store": "green",
            "leg": 0,
            "person": n,
            "customer_key": known[0],
            "to": known[0],
            "kind": "phone",
            "channel": "sms",
            "provider": "it",
            "due_at": NOW,
            "closes_at": NOW + timedelta(hours=1),
            "text": "안녕하세요",
            "cost": Decimal(18),
            "reason": "control" if n in control else "due",
            **{name: values[n] for name, values in more.items()},
        }
        for n, known in enumerate(people)
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    held_out = pl.col("person").is_in(list(control))
    return Plan(
        campaign=Campaign(name="winback", purpose=purpose, steps=(), tags=("win",)),
        store=STORE,
        as_of=NOW,
        customers=len(people),
        members=len(people),
        messages=conform(frame.filter(~held_out), MESSAGES),
        held=conform(frame.filter(held_out), HELD),
    )


class Provider:
    """Answers as it is told and remembers what it was asked to send."""

    batch_size = 2
    local = False

    def __init__(self) -> None:
        self.asked: list[Outgoing] = []
        self.answers: Callable[[Sequence[Outgoing]], Sequence[Receipt]] = ending(State.SENT)

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Receipt]:
        self.asked += batch
        return self.answers(batch)


def ending(state: State) -> Callable[[Sequence[Outgoing]], Sequence[Receipt]]:
    return lambda batch: [Receipt(message.id, state, f"no {message.to}") for message in batch]


def raising(error: BaseException) -> Callable[[Sequence[Outgoing]], Sequence[Receipt]]:
    def answer(_: Sequence[Outgoing]) -> Sequence[Receipt]:
        raise error

    return answer


class Office:
    """One installation and its runs."""

    def __init__(self, folder: Path) -> None:
        self.log_path, self.key, self.file = (folder / name for name in ("log.db", "key", "out.db"))
        self.logs: SendingLogs = open_logs(self.log_path, self.key, [self.file], now=NOW)
        self.provider = Provider()
        self.now = NOW
        self.runs = 0
        self.done: list[int] = []
        self.between_batches: Callable[[], object] = lambda: None

    def identifiers(self, people: Sequence[Known]) -> Identifiers:
        numbered = list(enumerate(people))
        names = pl.DataFrame([{"person": n, "customer_key": known[0]} for n, known in numbered])
        addresses = pl.DataFrame(
            [{"person": n, "kind": "phone", "value": one} for n, known in numbered for one in known]
        )
        return self.logs.hasher.identifiers(
            Profiles(names.cast({"person": pl.UInt32})),
            Addresses(conform(addresses, ADDRESSES)),
            "green",
        )

    def run(
        self,
        people: Sequence[Known],
        *,
        key: str = "k",
        control: Sequence[int] = (),
        purpose: Purpose = Purpose.ADVERTISING,
        sender: Sender | None = None,
        interrupted: Callable[[], int] = lambda: 0,
        **more: Any,
    ) -> Dispatched:
        self.runs += 1
        run = f"r{self.runs}"
        self.logs.log.take_over("green", run, self.now)
        with self.logs.log.lock("green") as lock:
            dispatcher = Dispatcher(
                run=run,
                log=self.logs.log,
                lock=lock,
                hasher=self.logs.hasher,
                optouts=self.logs.optouts[self.file],
                identifiers=self.identifiers(people),
                suppressions=Suppressions(empty(SUPPRESSIONS)),
                last_word=self.logs.optouts[self.file].last_word(),
                senders={"it": sender or Direct(self.provider)},
                now=lambda: self.now,
                progress=self.progress,
                interrupted=interrupted,
            )
            return dispatcher.dispatch(plan_of(people, key, control, purpose, more))

    def progress(self, count: int) -> None:
        self.done.append(count)
        self.between_batches()

    def opt_out(self, phone: str, scope: str = "advertising") -> None:
        hmac = self.logs.hasher.hash("phone", phone, "green")
        word = OptOut(hmac=hmac, family=Family.TEXT, scope=scope, at=self.now)
        self.logs.optouts[self.file].record([word], self.now)

    def states(self) -> list[str]:
        return [entry.state for entry in self.logs.log.entries(Filter())][::-1]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    with made.logs:
        yield made


PEOPLE: list[Known] = [("a", "a2"), ("b",), ("c",), ("d",), ("e",)]


def test_every_message_is_claimed_sent_and_settled_in_batches(office: Office) -> None:
    done = office.run(PEOPLE)
    assert [message.to for message in office.provider.asked] == ["a", "b", "c", "d", "e"]
    assert office.done == [2, 2, 1]
    assert done.states == {State.SENT: 5}
    assert done.plan is done.planned
    assert office.states() == ["sent"] * 5
    [newest, *_] = office.logs.log.entries(Filter())
    assert (newest.provider_id, newest.cost, newest.currency) == ("no e", Decimal(18), "KRW")
    assert len({message.id for message in office.provider.asked}) == 5


def test_a_second_run_sends_nothing_new_and_says_so(office: Office) -> None:
    office.run(PEOPLE)
    again = office.run([*PEOPLE, ("f",)])
    assert [message.to for message in office.provider.asked[5:]] == ["f"]
    assert Counter(again.plan.held["reason"]) == {"already": 5}
    assert again.plan.due == again.planned.due == 6
    assert again.plan.messages["to"].to_list() == ["f"]


@pytest.mark.parametrize(
    ("answer", "state", "repeated"),
    [
        (raising(NotSent("no route")), State.FAILED, True),
        (raising(MaybeSent("no answer")), State.UNKNOWN, False),
        (lambda _: [], State.UNKNOWN, False),
        (ending(State.REJECTED), State.REJECTED, False),
        (ending(State.FAILED), State.FAILED, True),
    ],
)
def test_what_was_surely_not_sent_is_tried_again_and_nothing_else(
    office: Office, answer: Callable[..., Sequence[Receipt]], state: State, *, repeated: bool
) -> None:
    office.provider.answers = answer
    assert office.run(PEOPLE[:2]).states == {state: 2}
    first = {message.id for message in office.provider.asked}
    office.provider.asked, office.provider.answers = [], ending(State.SENT)
    office.run(PEOPLE[:2])
    assert {message.id for message in office.provider.asked} == (first if repeated else set())


def test_a_provider_that_is_down_stops_the_run(office: Office) -> None:
    office.provider.answers = raising(NotSent("no route"))
    done = office.run([(name,) for name in "abcdefghij"])
    assert len(office.done) == MOST_FAILURES
    assert done.states == {State.FAILED: 2 * MOST_FAILURES}
    assert done.stopped
    assert len(done.plan.messages) == 10


def test_an_interrupt_leaves_nothing_open(office: Office) -> None:
    office.provider.answers = raising(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        office.run(PEOPLE)
    assert office.states() == ["unknown", "unknown"]
    office.provider.answers = ending(State.SENT)
    office.provider.asked = []
    office.run(PEOPLE)
    assert [message.to for message in office.provider.asked] == ["c", "d", "e"]


def test_hours_and_opt_outs_are_looked_at_before_each_batch(office: Office) -> None:
    office.between_batches = lambda: office.opt_out("c")
    done = office.run(PEOPLE)
    assert [message.to for message in office.provider.asked] == ["a", "b", "d", "e"]
    assert Counter(done.plan.held["reason"]) == {"opted_out": 1}
    office.provider.asked = []

    def later() -> None:
        office.now += timedelta(minutes=61)

    office.between_batches = later
    done = office.run(PEOPLE[:3], key="k2", purpose=Purpose.INFORMATIONAL)
    assert [message.to for message in office.provider.asked] == ["a", "b"]
    assert Counter(done.plan.held["reason"]) == {"not_open_now": 1}
    assert done.plan.held["detail"].null_count() == 0


def test_an_informational_message_ends_only_where_nothing_at_all_may_go(office: Office) -> None:
    def two() -> None:
        office.opt_out("c")
        office.opt_out("d", "all")

    office.between_batches = two
    office.run(PEOPLE, purpose=Purpose.INFORMATIONAL)
    assert [message.to for message in office.provider.asked] == ["a", "b", "c", "e"]


def test_the_held_out_are_remembered_and_never_messaged(office: Office) -> None:
    office.run(PEOPLE[:2], control=[0])
    office.run(PEOPLE[2:3], control=[0])
    office.run([("a2", "new"), ("c",)])
    assert [message.to for message in office.provider.asked] == ["b"]
    assert sorted(office.states()) == ["control", "control", "sent"]
    history = office.logs.log.history("green", office.identifiers(PEOPLE[:1]))
    assert history.select("state", "counts").rows() == [("control", False)]


def test_a_code_that_another_message_took_is_held_and_the_batch_goes_on(office: Office) -> None:
    code: dict[str, Any] = {"coupon_pool": ["welcome"] * 2, "coupon_until": [date(2025, 8, 29)] * 2}
    done = office.run(PEOPLE[:2], coupon_code=["A", "B"], **code)
    assert done.states == {State.SENT: 2}
    done = office.run(PEOPLE[2:4], coupon_code=["B", "C"], **code)
    assert [message.to for message in office.provider.asked] == ["a", "b", "d"]
    assert done.plan.held.select("to", "reason").rows() == [("c", "coupon_taken")]
    assert done.plan.held["detail"].item() != "coupon_taken"  # a sentence
    issued = office.logs.log.issued("green")
    assert issued["coupon"].n_unique() == 3
    assert issued["until"].unique().to_list() == [date(2025, 8, 29)]
    # For all, a code is not one person's.
    for_all: dict[str, Any] = {"coupon_pool": [None] * 2, "coupon_code": ["SPRING"] * 2}
    assert office.run(PEOPLE[:2], key="k2", **for_all).states == {State.SENT: 2}


def test_the_held_out_take_no_code(office: Office) -> None:
    office.run(PEOPLE[:2], control=[0], coupon_pool=["welcome"] * 2, coupon_code=["A", "B"])
    issued = office.logs.log.issued("green")
    assert issued["coupon"].unique().to_list() == [
        code_hash(office.logs.hasher, "welcome", "B", "green")
    ]


def test_a_provider_is_given_all_that_the_channel_carries(office: Office) -> None:
    extras = {"url": "https://shop.example", "unsubscribe": "https://shop.example/optout"}
    office.run(PEOPLE[:2], extras=[json.dumps(extras), None])
    assert [message.extras for message in office.provider.asked] == [extras, {}]
    assert {message.kind for message in office.provider.asked} == {"phone"}


@pytest.mark.parametrize(
    ("local", "known"), [(False, {"T1": text_hash("주문 #{번호}")}), (True, {})]
)
def test_a_template_is_approved_once_a_real_provider_took_it(
    office: Office, *, local: bool, known: dict[str, bytes]
) -> None:
    office.provider.local = local
    told = json.dumps({"template": "T1", "variables": {}, "approved_text": "주문 #{번호}"})
    office.run(PEOPLE[:1], extras=[told])
    assert office.logs.log.approved("green", ["T1"]) == known


def test_a_plan_made_before_another_run_took_over_sends_nothing(office: Office) -> None:
    office.between_batches = lambda: office.logs.log.take_over("green", "other", NOW)
    with pytest.raises(LogError, match="another run"):
        office.run(PEOPLE)
    assert [message.to for message in office.provider.asked] == ["a", "b"]


def test_a_lost_lock_stops_before_the_next_message(office: Office) -> None:
    lock = office.log_path.with_name("log.db.green.lock")
    office.between_batches = lock.unlink
    with pytest.raises(LogError):
        office.run(PEOPLE)
    assert len(office.provider.asked) == 2


LOADS = st.lists(
    st.tuples(
        # The identifiers of one shop, split into people anew by every load.
        st.lists(st.integers(0, 3), min_size=5, max_size=5),
        st.sampled_from(
            [
                ending(State.SENT),
                ending(State.REJECTED),
                raising(MaybeSent("?")),
                raising(NotSent("down")),
                lambda batch: [Receipt(message.id, State.SENT) for message in batch[1:]],
            ]
        ),
    ),
    max_size=5,
)


@settings(deadline=None, max_examples=50)
@given(LOADS)
def test_merging_and_splitting_people_between_runs_never_messages_anyone_twice(
    tmp_path_factory: pytest.TempPathFactory,
    loads: list[tuple[list[int], Callable[[Sequence[Outgoing]], Sequence[Receipt]]]],
) -> None:
    office = Office(tmp_path_factory.mktemp("law"))
    reached: set[str] = set()
    with office.logs:
        for groups, answer in loads:
            people = [
                tuple(name for name, of in zip("abcde", groups, strict=True) if of == group)
                for group in sorted(set(groups))
            ]
            office.provider.answers, office.provider.asked = answer, []
            done = office.run(people)
            assert done.plan.due == len(people)
            failed = done.states[State.FAILED] > 0
            for message in office.provider.asked:
                [known] = [one for one in people if message.to in one]
                assert not reached & set(known)
                reached |= set() if failed else set(known)


def test_an_account_that_cannot_send_stops_the_run_and_claims_nothing_more(office: Office) -> None:
    office.provider.answers = raising(AccountError("no balance"))
    done = office.run([(name,) for name in "abcdefghij"])
    assert (done.stopped, done.states) == ("no balance", {State.FAILED: 2})
    assert office.states() == ["failed"] * 2
    office.provider.answers = ending(State.SENT)
    assert office.run([(name,) for name in "abcdefghij"]).states == {State.SENT: 10}


class Slow:
    """A provider whose answers come when the test lets them; see ``sender.Sender``."""

    batch_size, concurrency, local = 1, 4, False

    def __init__(self, then: Callable[[], object]) -> None:
        self.then = then
        self.open: list[tuple[str, Future[Sequence[Receipt]]]] = []
        self.stopped = ""

    def group(self, message: Outgoing) -> str:
        return message.channel

    def submit(self, batch: Sequence[Outgoing]) -> Future[Sequence[Receipt]]:
        future: Future[Sequence[Receipt]] = Future()
        self.open.append((batch[0].id, future))
        if len(self.open) == self.concurrency:
            self.then()
        return future

    def answer(self, count: int) -> None:
        for name, future in self.open[:count]:
            future.set_result([Receipt(name, State.SENT)])

    def stop(self, why: str) -> None:
        self.stopped = why
        self.answer(self.concurrency)


def test_a_lock_that_is_lost_in_mid_run_still_lets_answers_be_written(office: Office) -> None:
    lock = office.log_path.with_name("log.db.green.lock")
    slow = Slow(lock.unlink)
    with pytest.raises(LogError, match="removed"):
        office.run([(name,) for name in "abcdefghij"], sender=slow)
    assert "removed" in slow.stopped
    assert len(slow.open) == 4
    assert Counter(office.states()) == {"sent": 4}


@pytest.mark.parametrize(("asked", "ends"), [(1, {"sent": 4}), (2, {"unknown": 4})])
def test_an_interrupted_run_starts_nothing_more(
    office: Office, asked: int, ends: dict[str, int]
) -> None:
    wanted: list[int] = []
    slow = Slow(lambda: wanted.append(asked))
    if asked == 2:
        slow.stop = lambda why: None  # type: ignore[method-assign]  # noqa: ARG005 (its name)
    interrupted = lambda: sum(wanted)  # noqa: E731 (short)
    done = office.run([(name,) for name in "abcdefghij"], sender=slow, interrupted=interrupted)
    assert done.interrupted
    assert len(slow.open) == 4
    assert Counter(office.states()) == ends
    assert done.states == {State(end): count for end, count in ends.items()}
