"""``consents due`` on real files: who is to be told, masked unless asked otherwise."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from remindctl.cli.app import main

if TYPE_CHECKING:
    from pathlib import Path

STORE = """
  {key}:
    name: 초록 상점
    timezone: Asia/Seoul
    country: {country}
    currency: KRW
    url: https://shop.example
    sender: {{phone: "0212345678", contact: 02-1234-5678}}
    optout: {{phone: "0808880000", url: https://shop.example/optout}}
    sources: {{orders: orders.csv, consents: consents.csv}}
"""
ORDERS = """\
Name,Email,Financial Status,Accepts Marketing,Created at,Total,Currency,Lineitem quantity,\
Lineitem name,Billing Name,Outstanding Balance
#1,kim1@example.com,paid,no,2026-09-01 12:00:00 +0900,12000,KRW,1,수분 크림,김민수,0
"""
CONSENTS = """\
phone,email,channel,purpose,granted,at,night,source,wording,notice_sent_at
+82 10-9000-1234,,sms,advertising,yes,2026-10-01T10:00+09:00,no,form,혜택 알림 받기,
+82 10-9000-1235,,sms,advertising,yes,2024-10-20T10:00+09:00,no,form,광고 수신,2024-10-25T10:00Z
,kim1@example.com,email,advertising,no,2026-09-10T10:00+09:00,no,form,,
+82 10-9000-1236,,sms,advertising,yes,,no,form,v3,
"""


class Ledger:
    """A folder with two stores that keep the same consents, one of them in Germany."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        stores = (STORE.format(key="green", country="KR"), STORE.format(key="blue", country="DE"))
        (folder / "remindctl.yaml").write_text(
            f"version: 1\nstores:{''.join(stores)}", encoding="utf-8"
        )
        (folder / "orders.csv").write_text(ORDERS, encoding="utf-8")
        (folder / "consents.csv").write_text(CONSENTS, encoding="utf-8")

    def call(self, *words: str) -> tuple[int, str, str]:
        sys.argv = ["remindctl", *words, "--config", str(self.folder / "remindctl.yaml")]
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self.capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    def due(
        self, *words: str, store: str = "green", at: str = "2026-10-10T12:00"
    ) -> tuple[str, str]:
        code, out, err = self.call("consents", "due", "--as-of", at, "--store", store, *words)
        assert code == 0, err
        return out, err


@pytest.fixture
def ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Ledger:
    monkeypatch.setattr(sys, "argv", ["remindctl"])
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("REMINDCTL_CONFIG", raising=False)
    return Ledger(tmp_path, capsys)


def test_who_is_to_be_told_is_listed_masked_and_the_overdue_first(ledger: Ledger) -> None:
    out, err = ledger.due()
    assert "green, 2026-10-10: 3 notices due, 1 overdue" in out
    rows = [line for line in out.splitlines() if line.startswith("  2026-") and "*" in line]
    assert [" ".join(line.split()) for line in rows] == [
        "2026-09-24 k***@example.com email refusal 2026-09-10 tell the result",
        "2026-10-15 010-****-1234 text consent 2026-10-01 tell the result",
        "2026-10-19 010-****-1235 text consent 2024-10-20 remind of it",
    ]
    assert "1 consent without a date" in out
    assert "혜택 알림 받기" in out
    assert "광고 수신" not in out
    assert err == ""


def test_contacts_are_shown_only_on_request_and_with_a_warning(ledger: Ledger) -> None:
    out, _ = ledger.due("-o", "csv")
    assert "kim1@example.com" not in out
    shown, err = ledger.due("-o", "csv", "--show-contacts")
    rows = list(csv.DictReader(io.StringIO(shown)))
    # A spreadsheet would take a number that begins with + for a sum.
    assert [row["address"] for row in rows] == [
        "kim1@example.com", "'+821090001234", "'+821090001235",
    ]  # fmt: skip
    assert rows[0]["overdue"] == "true"
    assert len(rows[0]["customer_key"]) == 16
    assert err == "addresses are shown in full: keep this answer safe\n"


def test_the_document_for_scripts_holds_every_store(ledger: Ledger) -> None:
    out, _ = ledger.due("--store", "blue", "-o", "json", "--within", "3d")
    document = json.loads(out)
    assert document["schema"] == "remindctl.consents/1"
    green, blue = document["stores"]
    assert (green["store"], green["as_of"], green["overdue"], green["undated"]) == (
        "green", "2026-10-10", 1, 1,
    )  # fmt: skip
    [only] = green["notices"]
    assert (only["notice"], only["due_on"], only["address"]) == (
        "result", "2026-09-24", "k***@example.com",
    )  # fmt: skip
    assert green["vague_wordings"] == [{"wording": "혜택 알림 받기", "addresses": 1}]
    # German law asks for no such notices; a vague consent is one anywhere.
    assert (blue["notices"], blue["undated"]) == ([], 0)
    assert blue["vague_wordings"] == green["vague_wordings"]
    assert "asks for no such notices" in ledger.due(store="blue")[0]


def test_an_opt_out_of_the_free_line_is_told_of_and_ends_the_renewals(ledger: Ledger) -> None:
    file = ledger.folder / "080.csv"
    file.write_text("수신거부번호,일시\n010-9000-1235,2026-10-05 09:00\n", encoding="utf-8")
    code, _, err = ledger.call(
        "optout", "import", str(file), "--source", "080", "--store", "green"
    )  # fmt: skip
    assert code == 0, err
    out, _ = ledger.due("-o", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["notice"], row["said"], row["due_on"]) for row in rows] == [
        ("result", "refusal", "2026-09-24"),
        ("result", "consent", "2026-10-15"),
        ("result", "refusal", "2026-10-19"),
    ]


def test_an_option_that_makes_no_sense_is_refused(ledger: Ledger) -> None:
    code, out, err = ledger.call("consents", "due", "--within", "soon")
    assert (code, out) == (2, "")
    assert "--within: 'soon' is no span of time" in err
    assert ledger.call("consents", "due", "--store", "grene")[0] == 2
