"""Claim, send, settle: whatever a provider does, no one is messaged twice and nothing is lost."""

from __future__ import annotations

import io
import json
import stat
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.channels import Account, MaybeSent, NotSent, Outgoing, Receipt
from remindctl.channels.console import Console
from remindctl.channels.outbox import Outbox
from remindctl.dispatch import MOST_FAILURES, Dispatched, Dispatcher
from remindctl.frames import ADDRESSES, SUPPRESSIONS, Addresses, Suppressions, conform, empty
from remindctl.model import Campaign, Channel, Family, Policy, Purpose, State, Store
from remindctl.plan import HELD, MESSAGES, Plan
from remindctl.profiles import Profiles
from remindctl.sendlog import Filter, LogError, OptOut, SendingLogs, open_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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


def plan_of(people: Sequence[Known], key: str, control: Sequence[int], purpose: Purpose) -> Plan:
    """Plan one message of ``key`` to each person, and hold those of the control group."""
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
                providers={"it": self.provider},
                now=lambda: self.now,
                progress=self.progress,
            )
            return dispatcher.dispatch(plan_of(people, key, control, purpose))

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


def test_a_lost_lock_stops_before_the_next_message(office: Office) -> None:
    lock = office.log_path.with_name("log.db.green.lock")
    office.between_batches = lock.unlink
    with pytest.raises(LogError):
        office.run(PEOPLE)
    assert len(office.provider.asked) == 2


def message(text: str = "안녕하세요 😀") -> Outgoing:
    return Outgoing(
        id="k-p-0",
        key="6b",
        store="green",
        campaign="winback",
        step="day30",
        customer_key="a",
        channel=Channel.EMAIL,
        to="kim@example.com",
        kind="email",
        subject="다시",
        text=text,
        html=None,
        advertising=True,
        at=NOW,
    )


def test_the_outbox_appends_a_line_each_for_its_owner_only(tmp_path: Path) -> None:
    outbox = Outbox.of(Account("outbox", {}, tmp_path, io.StringIO()))
    for text in ("one\ntwo", "세"):
        assert outbox.send([message(text)] * 2) == [Receipt("k-p-0", State.SENT)] * 2
    lines = [json.loads(line) for line in outbox.path.read_text("utf-8").splitlines()]
    assert [line["text"] for line in lines] == ["one\ntwo", "one\ntwo", "세", "세"]
    assert lines[0]["to"] == "kim@example.com"
    assert stat.S_IMODE(outbox.path.stat().st_mode) == 0o600


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_what_the_disk_cannot_hold_is_taken_back_or_unknown(tmp_path: Path) -> None:
    import resource  # noqa: PLC0415 (not on every system)

    outbox = Outbox(tmp_path / "outbox.ndjson")
    outbox.send([message()])
    before = outbox.path.read_bytes()
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 50, hard))
    try:
        with pytest.raises(NotSent):
            outbox.send([message()])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert outbox.path.read_bytes() == before
    with pytest.raises(MaybeSent):
        Outbox(Path("/dev/full")).send([message()])


def test_the_console_shows_the_whole_message() -> None:
    talk = io.StringIO()
    Console.of(Account("console", {}, Path(), talk)).send([message("line 1\nline 2")])
    assert talk.getvalue() == "--- email to kim@example.com\n다시\n\nline 1\nline 2\n"


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
