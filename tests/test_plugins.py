"""Providers by their types: ours are imported one by one, others come with installed packages."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from remindctl.channels import (
    PROVIDERS,
    Account,
    AccountError,
    Attempt,
    HttpProvider,
    Outgoing,
    Provider,
    Receipt,
    Response,
    Unreadable,
    known_types,
    open_account,
)
from remindctl.config import ConfigFile
from remindctl.config.values import PROVIDER_TYPES
from remindctl.documents import parse
from remindctl.errors import Refused
from remindctl.model import Channel, State

EXAMPLE = Path(__file__).parents[1] / "examples" / "provider"
NOW = datetime(2025, 6, 30, 7, 30, tzinfo=UTC)
CONFIG = """
version: 1
stores:
  green:
    name: Green
    timezone: Asia/Seoul
    country: KR
    currency: KRW
    sources: {orders: orders.csv}
    channels: {sms: mine}
providers:
  mine: {type: example_gateway, api_key: "${KEY}", sender: "+12025550100"}
"""


def account(**settings: str) -> Account:
    return Account("mine", settings, Path(), io.StringIO())


def message(channel: Channel = Channel.SMS) -> Outgoing:
    return Outgoing(
        id="k-p-0", key="6b", store="green", campaign="winback", step="day30", customer_key="a",
        channel=channel, to="+12025550111", kind="phone", subject=None, text="Hi", html=None,
        advertising=True, at=NOW,
    )  # fmt: skip


def install(folder: Path, name: str, code: str, *entries: str) -> None:
    """Put a package where pip would."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join(["[remindctl.providers]", *entries]) + "\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_every_type_of_ours_is_there_and_says_what_it_lacks() -> None:
    for type_ in PROVIDERS:
        if type_ in {"outbox", "console", "feed"}:
            assert isinstance(open_account(type_, account()), Provider)
            continue
        with pytest.raises(Refused) as refused:
            open_account(type_, account())
        places = {str(each.place).rpartition(".")[0] for each in refused.value.problems}
        assert places == {"providers.mine"}
    assert set(PROVIDERS) <= set(PROVIDER_TYPES)
    assert known_types() == list(PROVIDERS)


def test_opening_one_imports_no_other() -> None:
    code = """
import io, pathlib, sys
from remindctl.channels import Account, open_account
open_account("outbox", Account("outbox", {}, pathlib.Path(), io.StringIO()))
ours = {name.split(".")[2] for name in sys.modules if name.startswith("remindctl.channels.")}
print(*sorted(ours), *sorted({"aiohttp", "smtplib", "polars"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["http", "outbox", "provider", "registry", "sender", "settings"]


def test_the_example_package_is_a_provider_once_it_is_installed(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match="'example_gateway' is no provider"):
        parse(CONFIG, "remindctl.yaml", ConfigFile)
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling, which builds the package, is not installed")
    wheels = tmp_path / "wheels"
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)],
        cwd=EXAMPLE,
        capture_output=True,
        check=True,
    )
    [wheel] = wheels.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    monkeypatch.delitem(sys.modules, "remindctl_example_gateway", raising=False)

    assert parse(CONFIG, "remindctl.yaml", ConfigFile).value.providers["mine"].type in known_types()
    with pytest.raises(Refused) as refused:
        open_account("example_gateway", account(base_url="http://gateway.example"))
    assert sorted(map(str, refused.value.problems)) == [
        "providers.mine.api_key: is missing",
        "providers.mine.base_url: is no address that messages may be sent to",
        "providers.mine.sender: is missing",
    ]
    gateway = open_account("example_gateway", account(api_key="abc", sender="+12025550100"))
    assert isinstance(gateway, HttpProvider)
    request = gateway.request([message()], Attempt(at=NOW, nonce="0" * 32))
    assert request.url == "https://gateway.example/messages"
    assert request.headers["Authorization"] == "Bearer abc"
    assert b'"to": "+12025550111"' in request.content

    def told(status: int, content: bytes) -> Receipt:
        [receipt] = gateway.receipts([message()], Response(status=status, content=content))
        return receipt

    assert told(200, b'{"id": "m1"}') == Receipt("k-p-0", State.SENT, "m1")
    assert told(422, b'{"code": "opted_out"}') == Receipt(
        "k-p-0", State.REJECTED, code="opted_out", suppress="refused"
    )
    with pytest.raises(AccountError):
        told(401, b"")
    with pytest.raises(Unreadable):
        told(418, b"{}")


def test_a_package_takes_no_type_of_ours_and_cannot_break_a_run(site: Path) -> None:
    install(
        site, "badly",
        "def of(account):\n    raise KeyError('the secret is s3cr3t')\n"
        "def nothing(account):\n    return object()\n",
        "outbox = badly:of", "faulty = badly:of", "nothing = badly:nothing", "gone = badly:gone",
        "shared = badly:of",
    )  # fmt: skip
    install(site, "another", "", "shared = another:of")
    assert type(open_account("outbox", account())).__name__ == "Outbox"
    for type_, what in {
        "faulty": r"cannot be opened: a bug in it \(KeyError\)",
        "nothing": "is no provider: it has neither send nor request and receipts",
        "gone": "badly cannot be loaded: AttributeError",
        "shared": "several packages bring a provider 'shared'",
        "absent": "this installation cannot send through absent",
    }.items():
        with pytest.raises(Refused, match=what) as refused:
            open_account(type_, account(api_key="s3cr3t"))
        assert "s3cr3t" not in "".join(f"{one} {one.hint}" for one in refused.value.problems)
