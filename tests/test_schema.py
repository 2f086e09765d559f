"""The printed JSON Schemas: valid themselves, and of one mind with the program about every file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[1]
FILES = {
    "campaign": sorted(ROOT.glob("campaigns/*.yaml")),
    "config": sorted(ROOT.glob("examples/*/remindctl.yaml")),
    "layout": sorted(ROOT.glob("src/remindctl/stores/layouts/*.yaml")),
}


class _AsAnEditor(yaml.SafeLoader):
    """Reads scalars as YAML 1.2 does, and so the editors: no dates, no 21:00, no `no`."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (yaml's own way)


for tag, pattern, first in (
    ("bool", "true|false", "tf"),
    ("null", "~|null|", ["~", "n", ""]),
    ("int", "[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _AsAnEditor.add_implicit_resolver(
        f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first)
    )
_AsAnEditor.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value, base=10))


@cache
def schema(kind: str) -> dict[str, Any]:
    words = [sys.executable, "-m", "remindctl", "schema", kind]
    done = subprocess.run(words, capture_output=True, check=True, encoding="utf-8")
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def errors(kind: str, text: str) -> list[str]:
    given = yaml.load(text, Loader=_AsAnEditor)  # noqa: S506 (a safe loader)
    found = Draft202012Validator(schema(kind)).iter_errors(given)
    return sorted(f"{error.json_path}: {error.validator}" for error in found)


@pytest.mark.parametrize("kind", FILES)
def test_each_schema_is_one_and_explains_every_key(kind: str) -> None:
    Draft202012Validator.check_schema(schema(kind))
    models = [schema(kind), *schema(kind)["$defs"].values()]
    keys = [
        f"{model['title']}.{key}"
        for model in models
        for key, value in model.get("properties", {}).items()
        if "description" not in value
    ]
    secrets = {
        "password",
        "api_key",
        "api_secret",
        "auth_token",
        "secret",
        "secret_key",
        "sms_secret_key",
        "kakao_secret_key",
        "private_key",
    }
    assert [key for key in keys if key.partition(".")[2] not in secrets] == []


@pytest.mark.parametrize(
    ("kind", "path"), [(kind, path) for kind, paths in FILES.items() for path in paths],
    ids=lambda value: value if isinstance(value, str) else value.name,
)  # fmt: skip
def test_every_shipped_file_is_right_in_an_editor(kind: str, path: Path) -> None:
    assert errors(kind, path.read_text(encoding="utf-8")) == []


CAMPAIGN = """\
campaign: 2026
purpose: advertising
counts_for_caps: no
steps:
  - id: 1
    due: {after: visit, wait: 30m, at: 21:00-08:00}
    send: [{channel: sms, text: 0212345678}]
"""
CONFIG = """\
version: 1
stores:
  green:
    name: 1004
    timezone: Asia/Seoul
    country: KR
    currency: KRW
    sender: {phone: 0212345678}
    sources: {orders: a.csv}
    policy: {caps: [{max: 1, per: week}, {max: 2, per: 7d}], hours: {sms: 09:00-18:00}}
providers:
  a: {type: solapi, api_key: "${KEY}", pf_id: 7, sender_registered: true}
"""


@pytest.mark.parametrize(
    ("kind", "good", "bad", "found"),
    [
        ("campaign", "0212345678", "", "$.steps[0].send[0].text: type"),
        ("campaign", "30m", "30", "$.steps[0].due.wait: anyOf"),
        ("campaign", "30m", "cycle.medain", "$.steps[0].due.wait: anyOf"),
        ("campaign", "21:00-08:00", "21:00", "$.steps[0].due.at: pattern"),
        ("campaign", "advertising", "advert", "$.purpose: enum"),
        ("campaign", "channel: sms", "channel: friendtalk", "$.steps[0].send[0].channel: enum"),
        ("campaign", "send:", "sned: a\n    send:", "$.steps[0]: additionalProperties"),
        ("campaign", "send: [{channel: sms, text: 0212345678}]", "", "$.steps[0]: oneOf"),
        ("campaign", "steps:", "control: 10\nsteps:", "$.control: type"),
        ("campaign", "    due", "    facts: {x: {max_age: 1h}}\n    due", "$.steps[0].facts: enum"),
        ("config", "per: week", "per: year", "$.stores.green.policy.caps[0].per: anyOf"),
        ("config", "sms: 09", "fax: 09", "$.stores.green.policy.hours: enum"),
        ("config", "${KEY}", "hunter2", "$.providers.a.api_key: pattern"),
        ("config", "country: KR", "country: Korea", "$.stores.green.country: pattern"),
        ("config", "type: solapi", "type: solapy", "$.providers.a.type: enum"),
        ("config", "green:", "my shop:", "$.stores: additionalProperties"),
    ],
)  # fmt: skip
def test_an_editor_sees_what_is_wrong_and_nothing_else(
    kind: str, good: str, bad: str, found: str
) -> None:
    text = {"campaign": CAMPAIGN, "config": CONFIG}[kind]
    assert errors(kind, text) == []
    assert good in text
    assert errors(kind, text.replace(good, bad, 1)) == [found]
