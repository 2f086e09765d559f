"""A shop's folder on disk, and the program run in it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from remindctl.cli.app import main

if TYPE_CHECKING:
    from pathlib import Path

HEADER = [
    "Name", "Email", "Financial Status", "Accepts Marketing", "Created at", "Total", "Currency",
    "Lineitem quantity", "Lineitem name", "Billing Name", "Outstanding Balance",
]  # fmt: skip
CONFIG = """
version: 1
stores:
  goods:
    name: 초록 상점
    timezone: Asia/Seoul
    country: KR
    currency: KRW
    url: https://shop.example
    sender: {phone: "0212345678", contact: 02-1234-5678}
    optout: {phone: "0808880000", url: https://shop.example/optout}
    sources: {orders: orders.csv}
    prices: {email: 2}
    policy: {CEILING}
"""
CAMPAIGN = """
campaign: NAME
purpose: advertising
priority: PRIORITY
audience: {where: orders >= 1}
steps:
  - id: day30
    due: {after: last_order, wait: 30d, within: 7d}
    send:
      - channel: email
        subject: 다시 만나요
        text: "{{ name }}님, {{ last_products[0] }} 어떠셨나요?"
"""


class Shop:
    """A folder with a configuration, campaigns and an export of five customers who are due."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        self.state = folder / ".remindctl"
        self.configure()
        self.campaign("winback")
        self.export(*(("김민수", f"kim{n}@example.com", 30 + n / 24, "yes") for n in range(1, 4)),
                    ("Ann Lee", "ann@example.com", 30.2, "no"), ("", "", 30.1, "no"))  # fmt: skip

    def configure(self, policy: str = "preset: KR", extra: str = "") -> None:
        text = CONFIG.replace("CEILING", policy) + extra
        (self.folder / "remindctl.yaml").write_text(text, encoding="utf-8")

    def campaign(self, name: str, priority: int = 50) -> None:
        text = CAMPAIGN.replace("NAME", name).replace("PRIORITY", str(priority))
        (self.folder / f"{name}.yaml").write_text(text, encoding="utf-8")

    def export(self, *people: tuple[str, str, float, str]) -> None:
        now = datetime.now(UTC)
        rows = []
        for n, (name, email, ago, consent) in enumerate(people):
            at = f"{now - timedelta(days=ago):%Y-%m-%d %H:%M:%S} +0000"
            row = [f"#{n}", email, "paid", consent, at, "12000", "KRW", "1", "수분 크림", name, "0"]
            rows.append(row)
        lines = "\n".join(",".join(row) for row in [HEADER, *rows])
        (self.folder / "orders.csv").write_text(f"{lines}\n", encoding="utf-8")

    def call(self, *words: str | Path) -> tuple[int, str, str]:
        sys.argv = ["remindctl", *map(str, words)]
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self.capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    def run(
        self, *words: str | Path, campaigns: tuple[str, ...] = ("winback",)
    ) -> list[dict[str, object]]:
        paths = [self.folder / f"{name}.yaml" for name in campaigns]
        code, out, err = self.call("run", *paths, "-o", "json", *words)
        assert code == 0, err
        document = json.loads(out)
        assert document["schema"] == "remindctl.run/1"
        runs: list[dict[str, object]] = document["runs"]
        return runs

    def refused(self, *words: str | Path) -> str:
        code, out, err = self.call("run", self.folder / "winback.yaml", *words)
        assert (code, out) == (2, "")
        return err

    def outbox(self) -> list[dict[str, str]]:
        lines = (self.state / "outbox.ndjson").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]
