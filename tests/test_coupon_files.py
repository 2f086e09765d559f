"""Coupon pools: every code once, or nothing of them at all."""

from __future__ import annotations

import gzip
import unicodedata
from datetime import date
from typing import TYPE_CHECKING

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.errors import Refused
from remindctl.stores.coupons import POOLS, read_pools

if TYPE_CHECKING:
    from pathlib import Path

YEAR_END = date(2026, 12, 31)


def written(path: Path, text: str, encoding: str = "utf-8") -> str:
    path.write_bytes(text.encode(encoding))
    return str(path)


def problems(*patterns: str) -> list[str]:
    with pytest.raises(Refused) as refused:
        read_pools(patterns)
    return [str(problem) for problem in refused.value.problems]


def test_pools_come_in_the_order_of_files_and_rows(tmp_path: Path) -> None:
    one = written(tmp_path / "one.csv", "pool,code,valid_until\nb,B-1,2026-12-31\na,A-1,\n")
    two = written(tmp_path / "two.csv", "code,valid_until\nB-1,2026.12.31\n")
    found = read_pools([one, two])
    assert found.schema == dict(POOLS)
    assert found.rows() == [
        ("b", "B-1", YEAR_END, one, 2),
        ("a", "A-1", None, one, 3),
        # Without a column pool, a file is one; the same code in two pools is two codes.
        ("two", "B-1", YEAR_END, two, 2),
    ]
    assert read_pools([]).rows() == []


def test_pools_are_read_from_whatever_excel_saves(tmp_path: Path) -> None:
    cp949 = "발급,code,valid_until\r\n자동,'0012,2026/12/31\r\n,,\r\n자동, W 2 ,20261231\r\n"
    decomposed = unicodedata.normalize("NFD", "환영")
    text = read_pools([written(tmp_path / f"{decomposed}.csv", cp949, "cp949")])
    assert text.select("pool", "code", "valid_until", "row").rows() == [
        ("환영", "0012", YEAR_END, 2), ("환영", "W 2", YEAR_END, 4)
    ]  # fmt: skip

    book = openpyxl.Workbook()
    book.active.title = "안내"
    book.active.append(["쿠폰 안내"])
    sheet = book.create_sheet("codes")
    for row in (["2026년 쿠폰"], ["code", "valid_until"], ["X-1", YEAR_END], ["X-2", None]):
        sheet.append(row)
    book.save(tmp_path / "welcome.v2.xlsx")
    found = read_pools([str(tmp_path / "*.xlsx")])
    assert found.select("pool", "code", "valid_until", "row").rows() == [
        ("welcome", "X-1", YEAR_END, 3), ("welcome", "X-2", None, 4)
    ]  # fmt: skip

    (tmp_path / "spring.csv.gz").write_bytes(gzip.compress(b"code,valid_until\nS-1,\n"))
    assert read_pools([str(tmp_path / "spring.csv.gz")])["pool"].to_list() == ["spring"]


def test_every_fault_of_every_file_is_told_with_its_place(tmp_path: Path) -> None:
    first = written(
        tmp_path / "first.csv",
        "pool,code,valid_until\nw,A-1,2026-12-31\nw,,2026-12-31\nw,A-2,31/12/2026\n,A-3,\n"
        "w,2.02E+15,\nw,a-1,\nw,A-4,,surplus\n",
    )
    second = written(tmp_path / "second.csv", "pool,code,valid_until\nw,a-1,\nv,A-1,\n")
    third = written(tmp_path / "third.csv", "notice\ncodes,valid_until\nA-1,\n")
    told = problems(first, second, third, str(tmp_path / "absent.csv"))
    assert told == [f"{tmp_path / 'absent.csv'}: no such file"]
    told = problems(first, second, third)
    assert told == [
        f"{first}:3: no code",
        f"{first}:4: valid_until 31/12/2026 is no date",
        f"{first}:5: no pool",
        f"{first}:6: a spreadsheet rounded this code, its digits are lost",
        f"{first}:8: has more cells than the header has columns",
        f"{third}:2: has no column code",
        f"{first}:7: the code a-1 of the pool w stands at {first}:2 already",
        f"{second}:2: the code a-1 of the pool w stands at {first}:2 already",
    ]


def test_of_many_like_faults_the_first_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    blank = written(tmp_path / "a.csv", "pool,code,valid_until\n" + "w,,\n" * 1025)
    twice = written(tmp_path / "b.csv", "code,valid_until\n" + "A-1,\n" * 1026)
    told = problems(blank, twice)
    assert (len(told), told[20], told[-1]) == (
        42,
        f"{blank}: 1,005 more rows like these",
        "1,005 more codes stand twice",
    )


def test_a_misspelt_column_is_recognised(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "code,valid_til\nA-1,2026-12-31\n")
    with pytest.raises(Refused) as refused:
        read_pools([path])
    (problem,) = refused.value.problems
    assert (problem.what, "valid_til" in problem.hint) == ("has no column valid_until", True)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from("wv"), st.sampled_from(["A", "a", "B", "C", "c"])), max_size=20
    )
)
def test_a_file_is_read_whole_or_names_every_code_that_stands_twice(
    tmp_path_factory: pytest.TempPathFactory, codes: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("pools") / "a.csv"
    lines = [f"{pool},{code}," for pool, code in codes]
    text = "\n".join(["pool,code,valid_until", *lines])
    same = [(pool, code.casefold()) for pool, code in codes]
    repeated = [n + 2 for n, one in enumerate(same) if one in same[:n]]
    if repeated:
        told = problems(written(path, text))
        assert [int(line.split(":")[1]) for line in told] == repeated
    else:
        found = read_pools([written(path, text)])
        assert found.select("pool", "code").rows() == codes
