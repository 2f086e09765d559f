"""Whoever orders while messages leave is found again by their hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.shop import Shop

from remindctl.cli import world
from remindctl.cli.watch import OrderWatch
from remindctl.sendlog import Hasher

if TYPE_CHECKING:
    from pathlib import Path

HASHER = Hasher(b"k" * 32)


@pytest.fixture
def shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shop:
    monkeypatch.delenv("REMINDCTL_CONFIG", raising=False)
    return Shop(tmp_path, capsys)


def test_new_orders_are_seen_when_the_file_changes_and_a_broken_file_is_passed_over(
    shop: Shop,
) -> None:
    config = world.open_config(shop.folder / "remindctl.yaml")
    [read] = world.gather(
        [shop.folder / "winback.yaml"], config, world.choose_stores(config, []), None
    )
    watch = OrderWatch(read, HASHER)
    assert not watch()
    orders = shop.folder / "orders.csv"
    before = orders.read_text("utf-8")
    orders.write_text("half a fi", "utf-8")
    assert not watch()
    line = before.splitlines()[1].replace("#0", "#99")
    orders.write_text(f"{before}{line}\n", "utf-8")
    assert HASHER.hash("email", "kim1@example.com", "goods") in watch()
    assert HASHER.hash("email", "kim2@example.com", "goods") not in watch()
