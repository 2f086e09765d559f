"""``optout import``: lists of opt-outs as they come, into the file that no message gets past."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from remindctl.cli.app import main
from remindctl.model import Family
from remindctl.sendlog import OptOut, look, open_optouts

if TYPE_CHECKING:
    from pathlib import Path

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
"""
ORDERS = """\
Name,Email,Financial Status,Accepts Marketing,Created at,Total,Currency,Lineitem quantity,\
Lineitem name,Billing Name,Outstanding Balance
#1,kim@example.com,paid,yes,2026-09-01 12:00:00 +0900,12000,KRW,1,수분 크림,김민수,0
"""
ONE, TWO = "010-9000-1234", "010-9000-1235"


class Desk:
    """A folder with a store, to which lists of opt-outs come in."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        (folder / "remindctl.yaml").write_text(CONFIG, encoding="utf-8")
        (folder / "orders.csv").write_text(ORDERS, encoding="utf-8")

    def call(self, *words: str) -> tuple[int, str, str]:
        sys.argv = ["remindctl", *words, "--config", str(self.folder / "remindctl.yaml")]
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self.capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    def write(self, text: str | bytes, name: str = "list.csv", encoding: str = "utf-8") -> str:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return str(path)

    def take(self, text: str | bytes, source: str, *words: str, **how: str) -> dict[str, Any]:
        """Import a list; return what was answered."""
        file = self.write(text, **how)
        code, out, err = self.call(
            "optout", "import", file, "--source", source, "-o", "json", *words
        )
        assert code == 0, err
        answer: dict[str, Any] = json.loads(out)
        return answer

    def refused(self, text: str, source: str, *words: str) -> str:
        code, out, err = self.call("optout", "import", self.write(text), "--source", source, *words)
        assert (code, out) == (2, "")
        return err.replace(f"{self.folder}/", "")

    def standing(self) -> list[tuple[str, str, str, str]]:
        """Return who has opted out: ending, family, scope, source."""
        _, out, _ = self.call("optout", "list", "-o", "json")
        words = json.loads(out)["optouts"]
        return [(one["ending"], one["family"], one["scope"], one["source"]) for one in words]


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    monkeypatch.setattr(sys, "argv", ["remindctl"])
    monkeypatch.delenv("REMINDCTL_CONFIG", raising=False)
    return Desk(tmp_path, capsys)


def test_a_list_of_the_free_line_suppresses_texts_and_may_come_in_again(desk: Desk) -> None:
    text = f"순번,수신거부번호,거부일시\n1,{ONE},2026-01-05 09:00\n2,{TWO},\n"
    assert desk.take(text, "080", encoding="cp949")["imported"] == 2
    words = [("1234", "text", "advertising", "080"), ("1235", "text", "advertising", "080")]
    assert desk.standing() == words
    # The same list comes in every day, with or without dates.
    again = desk.take(text, "080")
    assert (again["imported"], again["known"]) == (0, 2)
    assert desk.standing() == words
    later = desk.take(text.replace("01-05", "02-05"), "080")
    assert (later["imported"], later["known"]) == (1, 1)


def test_a_row_that_cannot_be_read_refuses_the_whole_list(desk: Desk) -> None:
    text = f"전화번호\n{ONE}\n010-****-1235\n0501-2345-6789\n\n-\nnobody\n"
    problems = desk.refused(text, "manual")
    for line in (3, 4, 7):
        assert f"list.csv:{line}: no address can be read here" in problems
    assert "3 problems, nothing was done" in problems
    assert "nobody" not in problems
    assert not (desk.folder / ".remindctl").exists()
    answer = desk.take(text, "manual", "--skip-bad")
    assert (answer["imported"], answer["skipped"]) == (1, 3)
    assert desk.standing() == [
        ("1234", family, "advertising", "manual") for family in ("text", "kakao")
    ]


def test_a_workbook_and_a_bare_list_of_numbers_are_read_too(desk: Desk) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["080 수신거부 목록"], [], ["번호", "수신거부 번호"], [1, ONE], [2, 1090001235]):
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    assert desk.take(content.getvalue(), "080", name="list.xlsx")["imported"] == 2
    bare = f"\n{ONE}\nKim <kim@example.com>\n"
    assert desk.take(bare, "manual", name="list.txt")["imported"] == 2
    assert {(end, family) for end, family, _, _ in desk.standing()} == {
        ("1234", "text"), ("1235", "text"), ("1234", "kakao"), ("k***@e…", "email"),
    }  # fmt: skip


def test_replies_that_say_stop_opt_out_and_others_are_listed_for_a_person(desk: Desk) -> None:
    text = (
        "From,To,Body,Direction\n"
        f"{ONE},0212345678,Stop,inbound\n"
        f"{TWO},0212345678,수신거부 합니다,inbound\n"
        f"010-9000-1236,0212345678,언제 와요,inbound\n"
        f"010-9000-1237,0212345678,START,inbound\n"
        f"0212345678,{ONE},(광고) 초록 상점,outbound\n"
    )
    answer = desk.take(text, "stop")
    assert (answer["imported"], answer["passing"]) == (2, 1)
    assert [(one["line"], one["endings"], one["text"]) for one in answer["unclear"]] == [
        (4, ["1236"], "언제 와요"),
        (5, ["1237"], "START"),
    ]
    assert [end for end, _, _, _ in desk.standing()] == ["1234", "1235"]
    # On a terminal nothing steers it, and no number is shown in full.
    file = desk.write(text.replace("언제", "\x1b[31m언제"))
    _, out, err = desk.call("optout", "import", file, "--source", "stop")
    assert "\x1b" not in out
    assert "90001236" not in out.replace("-", "")
    assert err == "2 rows already known, 1 row meaning nothing, 2 rows unclear\n"
    assert "--column text=NAME" in desk.refused(f"전화번호\n{ONE}\n", "stop")


def test_a_dead_address_gets_nothing_more_and_a_full_mailbox_says_nothing(desk: Desk) -> None:
    text = (
        "recipient,type,reason\n"
        "a@example.com,hard,\n"
        "b@example.com,soft,5.2.2 mailbox full\n"
        "c@example.com,,550 5.1.1 user unknown\n"
        "d@example.com,undetermined,\n"
    )
    answer = desk.take(text, "bounce")
    assert (answer["imported"], answer["passing"], len(answer["unclear"])) == (2, 1, 1)
    assert {(family, scope) for _, family, scope, _ in desk.standing()} == {("email", "all")}
    assert desk.take("email\ne@example.com\n", "bounce")["imported"] == 1


def test_a_complaint_and_a_click_refuse_advertising_by_mail(desk: Desk) -> None:
    assert desk.take("email\na@example.com\n", "complaint")["imported"] == 1
    key = _customer_key(desk)
    # A person is known by the key too that their messages carry.
    assert desk.take(f"customer_key\n{key}\n", "one_click")["imported"] == 1
    words = [(end, family, scope) for end, family, scope, _ in desk.standing()]
    assert words == [("a***@e…", "email", "advertising"), ("k***@e…", "email", "advertising")]
    assert "list.csv:2: no customer has this key" in desk.refused(
        "customer_key\nzzz\n", "one_click"
    )
    assert desk.take("회원번호\nu1\n", "one_click")["imported"] == 1


def _customer_key(desk: Desk) -> str:
    file = desk.folder / "orders.csv"
    sys.argv = ["remindctl", "customers", str(file), "-o", "json"]
    with pytest.raises(SystemExit):
        main()
    return str(json.loads(desk.capsys.readouterr().out)["customers"][0]["customer_key"])


def test_columns_and_families_may_be_said(desk: Desk) -> None:
    text = f"비고,사람\n2026,{ONE}\n"
    assert desk.take(text, "manual", "--column", "사람", "--family", "kakao")["imported"] == 1
    assert desk.standing() == [("1234", "kakao", "advertising", "manual")]
    problems = desk.refused(text, "manual", "--column", "사랑")
    assert "has no column '사랑'; it has 비고, 사람" in problems
    assert "no field 'foo'" in desk.refused(text, "manual", "--column", "foo=사람")
    assert "no column of addresses" in desk.refused("비고,누구\nx,y\n", "manual")


def test_a_date_is_on_the_stores_clock_and_never_in_the_future(desk: Desk) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    dates = ["2026-01-05 09:00", "2026-01-05T09:00:00+00:00", f"{tomorrow:%Y-%m-%d %H:%M}", "soon"]
    rows = "".join(f"010-9000-124{n},{date}\n" for n, date in enumerate(dates))
    before = datetime.now(UTC)
    assert desk.take(f"phone,date\n{rows}", "080")["imported"] == 4
    _, out, _ = desk.call("optout", "list", "-o", "json")
    at = [datetime.fromisoformat(one["at"]) for one in json.loads(out)["optouts"]]
    assert at[:2] == [datetime(2026, 1, 5, 0, tzinfo=UTC), datetime(2026, 1, 5, 9, tzinfo=UTC)]
    assert all(before <= one <= datetime.now(UTC) for one in at[2:])


def test_the_file_remembers_when_a_list_last_came_in(desk: Desk) -> None:
    state = desk.folder / ".remindctl"
    files = (state / "log.db", state / "key", state / "optouts.db")
    desk.call("optout", "add", ONE)

    def last() -> datetime | None:
        with look(files[0], files[1], [files[2]]) as logs:
            return logs.optouts[files[2]].last_list()

    assert last() is None
    before = datetime.now(UTC)
    # Also a list without any news is one that came in.
    assert desk.take(f"phone\n{ONE}\n", "080")["known"] == 1
    first = last()
    assert first is not None
    assert before <= first <= datetime.now(UTC)
    desk.take("email\n", "one_click")
    second = last()
    assert second is not None
    assert second > first


def test_an_undated_word_adds_nothing_to_one_that_stands(tmp_path: Path) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    files = (tmp_path / "log.db", tmp_path / "key", tmp_path / "optouts.db")
    word = OptOut(hmac=b"x" * 16, family=Family.TEXT, scope="advertising", at=now, undated=True)
    with open_optouts(*files, now=now) as logs:
        file = logs.optouts[files[2]]
        assert file.record_list([word, word], "080", now) == [True, False]
        lifted = OptOut(
            hmac=word.hmac, family=word.family, scope=word.scope, at=now, stands=False
        )  # fmt: skip
        assert file.record([lifted], now) == 1
        # Once lifted, a list that still holds the number refuses again.
        assert file.record_list([word], "080", now + timedelta(days=1)) == [True]
        assert file.last_list() == now + timedelta(days=1)
