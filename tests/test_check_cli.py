"""``check`` and ``explain`` from the command line: everything wrong at once, and why for one."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.shop import Shop

if TYPE_CHECKING:
    from pathlib import Path

STEP = """
campaign: {name}
purpose: advertising
steps:
  - id: day30
    due: {{after: {after}, wait: {wait}, within: {within}, at: "{at}"}}
    send:
      - channel: email
        subject: 다시 만나요
        text: "{text}"
"""


@pytest.fixture
def shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shop:
    monkeypatch.setattr(sys, "argv", ["remindctl"])
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("REMINDCTL_CONFIG", raising=False)
    return Shop(tmp_path, capsys)


def write(shop: Shop, name: str = "other", **more: str) -> None:
    values = {
        "name": name,
        "after": "last_order",
        "wait": "30d",
        "within": "7d",
        "at": "00:00-23:59",
        "text": "{{ name }}님",
        **more,
    }
    (shop.folder / f"{name}.yaml").write_text(STEP.format(**values), encoding="utf-8")


def check(shop: Shop, *words: str | Path) -> tuple[int, dict[str, Any]]:
    given = words or (shop.folder,)
    config = shop.folder / "remindctl.yaml"
    paths = [path for path in shop.folder.glob("*.yaml") if path != config]
    code, out, err = shop.call(
        "check", *(paths if given == (shop.folder,) else given), "--config", config, "-o", "json"
    )
    assert "Traceback" not in err
    document: dict[str, Any] = json.loads(out)
    assert document["schema"] == "remindctl.check/1"
    assert document["ok"] == (code == 0)
    return code, document


def said(document: dict[str, Any], severity: str) -> list[str]:
    return [one["what"] for one in document["problems"] if one["severity"] == severity]


def test_a_sound_campaign_passes_with_its_longest_message(shop: Shop) -> None:
    code, document = check(shop)
    assert (code, said(document, "error")) == (0, [])
    [longest] = document["longest"]
    assert (longest["channel"], longest["encoding"], longest["messages"]) == ("email", "utf-8", 4)
    assert any("goes to the outbox" in what for what in said(document, "warning"))


def test_every_problem_of_every_file_is_told_at_once_with_its_line(shop: Shop) -> None:
    write(shop, "one", text="{{ first_nmae }}")
    write(shop, "two", after="chekout")
    (shop.folder / "three.yaml").write_text("campaign: three\npurpose: advertisin\n", "utf-8")
    code, document = check(shop)
    assert code == 2
    errors = {
        (one["path"].rpartition("/")[2], one["line"]): one["what"]
        for one in document["problems"]
        if one["severity"] == "error"
    }
    assert "`first_nmae` is not known" in errors["one.yaml", 10]
    assert "chekout" in errors["two.yaml", 6]
    assert any(path == "three.yaml" for path, _ in errors)


def test_a_value_that_some_lack_warns_with_how_many_and_one_that_all_lack_refuses(
    shop: Shop,
) -> None:
    write(shop, text="{{ name }}님, {{ favourite_category }}")
    code, document = check(shop, shop.folder / "other.yaml")
    assert code == 2
    [error] = said(document, "error")
    assert "favourite_category is empty for this customer (4 of 4 customers)" in error
    write(shop, text="{% if orders > 99 %}{{ locale }}{% endif %}{{ name }}")
    shop.export(("김민수", "a@example.com", 30.1, "yes"), ("", "b@example.com", 30.1, "yes"))
    code, document = check(shop, shop.folder / "other.yaml")
    assert code == 0
    assert any(
        "name is empty for this customer (1 of 2" in what for what in said(document, "warning")
    )


def test_what_can_never_be_due_and_statistics_without_data_are_problems(shop: Shop) -> None:
    write(shop, "never", wait="cycle.p90")
    code, document = check(shop, shop.folder / "never.yaml")
    assert code == 2
    assert any("p90" in what for what in said(document, "error"))


def test_a_schedule_that_misses_the_window_is_told(shop: Shop) -> None:
    write(shop, at="16:00-17:00")
    path, config = shop.folder / "other.yaml", shop.folder / "remindctl.yaml"
    code, out, _ = shop.call("check", path, "--config", config, "--cron", "0 9 * * *")
    assert code == 2
    assert "closed at every run of this schedule" in out
    code, out, _ = shop.call("check", path, "--config", config, "--cron", "30 16 * * *")
    assert code == 0
    code, _, err = shop.call("check", path, "--config", config, "--cron", "every day")
    assert code == 2
    assert "is no schedule" in err


def test_two_campaigns_for_the_same_people_on_one_day_are_told(shop: Shop) -> None:
    write(shop)
    _, document = check(shop)
    assert any("are due for another campaign" in what for what in said(document, "warning"))


def test_a_store_whose_files_are_broken_is_told_beside_its_campaigns(shop: Shop) -> None:
    write(shop, after="chekout", text="{{ 1 + }}")
    (shop.folder / "orders.csv").write_text("nothing,of,use\n1,2,3\n", encoding="utf-8")
    code, document = check(shop)
    assert code == 2
    paths = {one["path"].rpartition("/")[2] for one in document["problems"]}
    assert {"orders.csv", "other.yaml"} <= paths


def explained(shop: Shop, customer: str) -> list[dict[str, Any]]:
    code, out, err = shop.call("explain", shop.folder / "winback.yaml", customer, "-o", "json")
    assert code == 0, err
    document = json.loads(out)
    assert document["schema"] == "remindctl.explain/1"
    assert customer not in out
    found: list[dict[str, Any]] = document["occasions"]
    return found


def test_explain_finds_a_customer_by_address_and_names_the_deciding_gate(shop: Shop) -> None:
    [goes] = explained(shop, "kim1@example.com")
    assert goes["sent_now"] is True
    assert all(gate["passed"] for gate in goes["gates"])
    [held] = explained(shop, "ann@example.com")
    assert held["reason"] == "no_consent"
    [gate] = [gate for gate in held["gates"] if gate["gate"] == "email"]
    assert not gate["passed"]
    shop.run()
    [again] = explained(shop, "kim1@example.com")
    assert again["reason"] == "already"
    code, _, err = shop.call("explain", shop.folder / "winback.yaml", "nobody@example.com")
    assert code == 2
    assert "no customer is known by this" in err


def test_explain_reads_well_on_80_columns(shop: Shop) -> None:
    code, out, _ = shop.call("explain", shop.folder / "winback.yaml", "ann@example.com")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "Held: no_consent" in out
    assert "ann@" not in out
