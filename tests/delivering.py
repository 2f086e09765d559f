"""One sending run in a process of its own, to be killed, and the provider that it sends to.

Run as ``python -m tests.delivering FOLDER LOG PROVIDER URL PEOPLE``. It exits with 0 when everybody
has been dealt with, and with 2 when another run is sending.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import polars as pl
from tests.installation import Files
from tests.loopback import Answer, Seen, answer

from remindctl.channels import Account, HttpProvider, open_account
from remindctl.channels.courier import Courier
from remindctl.channels.exchange import Loop
from remindctl.dispatch import Asked, Dispatcher, reconcile
from remindctl.errors import Refused
from remindctl.frames import ADDRESSES, SUPPRESSIONS, Addresses, Suppressions, conform, empty
from remindctl.model import Campaign, Policy, Purpose, Store
from remindctl.plan import HELD, MESSAGES, Plan
from remindctl.profiles import Profiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remindctl.channels import LooksUp, Question, Receipt
    from remindctl.sendlog import SendingLogs

STORE = Store(
    key="green", name="초록상점", timezone="Asia/Seoul", country="KR", currency="KRW",
    policy=Policy(preset="KR"),
)  # fmt: skip
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SETTINGS = {
    "solapi": {"api_key": "k", "api_secret": "s", "sender": "0212345678"},
    "twilio": {"account_sid": "AC" + "0" * 32, "auth_token": "t", "from": "+12025550100"},
    "webhook": {"secret": SECRET},
}
BATCH = {"solapi": 7, "twilio": 1, "webhook": 1}
CONCURRENCY = 3


class Ledger:
    """What a provider has taken: the answers of SOLAPI, Twilio and a webhook.

    Attributes:
        taken: message → how often it was accepted. SOLAPI and the webhook are given our ids,
            Twilio only the number.
    """

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    def answer(self, seen: Seen) -> Answer:
        """Accept what a request asks for, or list what was accepted."""
        if "webhook-id" in seen.headers:
            # It remembers its ids, as our documentation demands.
            self.taken[seen.headers["webhook-id"]] = 1
            return answer(body={"id": "w1"})
        if "/messages/v4/list" in seen.line:
            listed = [self._entry(name, "4000") for name in self.taken]
            return answer(body={"messageList": {str(n): one for n, one in enumerate(listed)}})
        if "/messages/v4/" in seen.line:
            names = [one["customFields"]["remindctl"] for one in json.loads(seen.body)["messages"]]
            self.taken.update(names)
            count = {"total": len(names), "registeredFailed": 0}
            listed = [self._entry(name, "2000") for name in names]
            return answer(
                body={"groupInfo": {"count": count}, "failedMessageList": [], "messageList": listed}
            )
        [to] = parse_qs(seen.body.decode())["To"]
        self.taken[to] += 1
        return answer(201, {"sid": f"SM{len(self.taken):032}", "status": "queued"})

    @staticmethod
    def _entry(name: str, code: str) -> dict[str, Any]:
        return {"messageId": f"M-{name}", "statusCode": code, "customFields": {"remindctl": name}}


def start(files: Files, provider: str, url: str, people: int) -> subprocess.Popen[str]:
    """Start a run."""
    root = Path(__file__).parents[1]
    words = [files.folder.parent, files.log, provider, url, people]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.delivering", *map(str, words)],
        env={**os.environ, "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def planned(people: int, logs: SendingLogs) -> tuple[Plan, Addresses, Any]:
    """Plan a message to each of so many people."""
    now = datetime.now(UTC)
    rows = [
        {
            "key": b"k".hex(), "entry": b"e".hex(), "campaign": "winback", "step": "day30",
            "store": "green", "leg": 0, "person": n, "customer_key": f"c{n}",
            "to": f"+8210900{n:05}", "kind": "phone", "channel": "sms", "provider": "it",
            "due_at": now, "closes_at": None, "text": "안녕하세요", "cost": Decimal(18),
            "reason": "due",
        }
        for n in range(people)
    ]  # fmt: skip
    frame = pl.DataFrame(rows, infer_schema_length=None)
    plan = Plan(
        campaign=Campaign(name="winback", purpose=Purpose.ADVERTISING, steps=()),
        store=STORE,
        as_of=now,
        customers=people,
        members=people,
        messages=conform(frame, MESSAGES),
        held=conform(frame.clear(), HELD),
    )
    addresses = Addresses(
        conform(frame.select("person", "kind", pl.col("to").alias("value")), ADDRESSES)
    )
    names = Profiles(frame.select(pl.col("person").cast(pl.UInt32), "customer_key"))
    return plan, addresses, logs.hasher.identifiers(names, addresses, "green")


def run(files: Files, kind: str, url: str, people: int) -> None:
    """Settle what is open, then send what may go."""
    where = {"url": url} if kind == "webhook" else {"base_url": url}
    account = Account("it", {**SETTINGS[kind], **where}, files.folder, sys.stderr)
    provider = open_account(kind, account)
    assert isinstance(provider, HttpProvider)
    facts = provider.facts
    fitting = replace(facts, batch_size=BATCH[kind])
    setattr(type(provider), "facts", fitting)  # noqa: B010 (a constant, but for this process)
    loop, now = Loop(), datetime.now(UTC)
    courier = Courier(provider, loop, lambda: datetime.now(UTC), CONCURRENCY, timedelta(seconds=10))
    with files.open(now) as logs, logs.log.lock("green") as lock:
        name = str(os.getpid())
        logs.log.take_over("green", name, now)
        plan, addresses, identifiers = planned(people, logs)
        if kind == "solapi":
            ask = _asking(courier, provider)
            asked = {"it": Asked(ask=ask, exact=True, at_a_time=100, grace=timedelta())}
            ends = logs.log.open_ends("green", since=now)
            reconcile(logs.log, ends, asked, logs.hasher, addresses, "green", now)
        optouts = logs.optouts[files.optouts]
        dispatcher = Dispatcher(
            run=name,
            log=logs.log,
            lock=lock,
            hasher=logs.hasher,
            optouts=optouts,
            identifiers=identifiers,
            suppressions=Suppressions(empty(SUPPRESSIONS)),
            last_word=optouts.last_word(),
            senders={"it": courier},
            now=lambda: datetime.now(UTC),
            progress=lambda _: None,
        )
        dispatcher.dispatch(plan)
    loop.close()


def _asking(
    courier: Courier, provider: LooksUp | Any
) -> Callable[[Sequence[Question]], Sequence[Receipt]]:
    return lambda questions: provider.found(
        questions, courier.ask(lambda attempt: provider.look_up(questions, attempt))
    )


if __name__ == "__main__":
    folder, log, kind, url, people = sys.argv[1:]
    database = log if "://" in log else None
    try:
        run(Files(Path(folder), database), kind, url, int(people))
    except Refused as refused:
        sys.exit(2 if "another run" in str(refused.problems[0].what) else 3)
