"""`init`: the folder that it makes works with the files of a shop, and says so to its owner."""

from __future__ import annotations

import configparser
import importlib.util
import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remindctl.campaigns import load_campaigns
from remindctl.channels import PROVIDERS
from remindctl.config import ConfigFile, load_config
from remindctl.documents import parse
from remindctl.starter import (
    DEFAULTS,
    Facts,
    Program,
    blame,
    configuration,
    folder,
    library_folder,
    read_library,
)

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
NEWEST = 1793404800  # 2026-10-31 in Seoul: when the examples' files were downloaded
KOREAN = (
    "--name", "초록상점", "--key", "green", "--country", "KR", "--phone", "020000000",
    "--email", "hello@shop.example", "--contact", "02-000-0000", "--address", "초록시 나무로 1",
    "--optout-phone", "0800000000", "--optout-url", "https://shop.example/optout",
    "--url", "https://shop.example",
)  # fmt: skip
AMERICAN = (
    "--name", "Green Goods", "--country", "us", "--phone", "+12025550100",
    "--email", "hello@goods.example", "--contact", "202-555-0100", "--address", "1 Acorn Street",
    "--optout-url", "https://goods.example/optout", "--url", "https://goods.example",
)  # fmt: skip
FACTS = Facts(
    name="Shop", key="shop", country="KR", timezone="Asia/Seoul", currency="KRW", preset="KR"
)


def remindctl(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "remindctl", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )


def fill_in(example: str, shop: Path) -> None:
    """Do what the owner does: put downloads and codes into their folders."""
    source = EXAMPLES / example
    tables = [*source.glob("*.csv"), *source.glob("*.xlsx"), *source.glob("deliveries/*.xlsx")]
    for path in tables:
        os.utime(shutil.copy(path, shop / "exports"), (NEWEST, NEWEST))
    for path in source.glob("coupons/*.csv"):
        assert (shop / "coupons" / path.name).read_text() == "code,valid_until\n"
        shutil.copy(path, shop / "coupons")


def everything(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("example", "facts", "as_of", "reached"),
    [
        ("smartstore", KOREAN, "2026-10-31T16:30+09:00",
         {"winback", "refill", "cart-coupon", "first-purchase-thanks", "review-request"}),
        ("shopify", AMERICAN, "2026-10-31T14:00-04:00", {"winback-us"}),
    ],
)  # fmt: skip
def test_a_new_folder_with_a_shops_files_checks_and_runs(
    example: str, facts: tuple[str, ...], as_of: str, reached: set[str], tmp_path: Path
) -> None:
    made = remindctl("init", "shop", *facts, cwd=tmp_path)
    assert (made.returncode, made.stdout) == (0, "")
    advised = re.findall(r"^  (remindctl (?:\S+ )*\S+|cd \S+)", made.stderr, re.MULTILINE)
    assert [" ".join(words.split()[:2]) for words in advised] == [
        "cd shop", "remindctl analyze", "remindctl check", "remindctl run",
    ]  # fmt: skip
    shop = tmp_path / "shop"
    fill_in(example, shop)
    checked = remindctl("check", "--as-of", as_of, "-o", "json", cwd=shop)
    problems = json.loads(checked.stdout)["problems"]
    assert checked.returncode == 0, [one for one in problems if not one.get("warning")]
    dry = remindctl("run", "campaigns", "--dry-run", "--as-of", as_of, "-o", "json", cwd=shop)
    assert dry.returncode == 0, dry.stderr
    planned = {run["campaign"] for run in json.loads(dry.stdout)["runs"] if run["planned"]}
    assert reached <= planned


def test_facts_that_are_missing_or_wrong_are_told_together_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    def refused(*words: str) -> list[tuple[str, str]]:
        done = remindctl("init", "shop", *words, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert not (tmp_path / "shop").exists()
        found = re.finditer(r"^(--[\w-]+): (.+)", done.stderr, re.MULTILINE)
        return [(one[1], one[2]) for one in found]

    assert [option for option, _ in refused()] == [
        "--name",
        "--country",
        "--timezone",
        "--currency",
    ]
    assert [option for option, _ in refused("--yes", "--name", "A", "--country", "ZZ")] == [
        "--timezone", "--currency",
    ]  # fmt: skip
    wrong = ("--phone", "050123", "--email", "nobody", "--optout-url", "http://a.example",
             "--optout-phone", "x", "--provider", "solapy", "--key", "my shop")  # fmt: skip
    found = dict(refused("--name", "A", "--country", "KR", *wrong))
    assert set(found) == set(wrong[::2])
    assert "050 numbers" in found["--phone"]


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    """A store is never touched; other files stay as they are and are named."""
    own = tmp_path / "campaigns" / "winback.yaml"
    own.parent.mkdir()
    own.write_text("mine")
    first = remindctl("init", *KOREAN, cwd=tmp_path)
    assert first.returncode == 0
    assert own.read_text() == "mine"
    assert re.findall("kept, as it was there already: (.*)", first.stderr) == [
        "campaigns/winback.yaml"
    ]
    before = everything(tmp_path)
    again = remindctl("init", *AMERICAN, cwd=tmp_path)
    assert again.returncode == 2
    assert "a store here already" in again.stderr
    assert everything(tmp_path) == before


def test_a_folder_that_cannot_be_made_whole_is_not_made_in_part(tmp_path: Path) -> None:
    (tmp_path / "schemas").write_text("a file where a folder is wanted")
    done = remindctl("init", *KOREAN, cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert list(everything(tmp_path)) == ["schemas"]


def test_on_a_terminal_it_asks_until_the_answer_will_do(tmp_path: Path) -> None:
    answers = ["Tea & Co", "Korea", "KR", "", "", "", "", "050123", "0212345678", *[""] * 6]
    master, slave = pty.openpty()
    os.write(master, "".join(f"{answer}\n" for answer in answers).encode())
    done = subprocess.run(
        [sys.executable, "-m", "remindctl", "init", "shop"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdin=slave,
        stderr=slave,
        stdout=subprocess.PIPE,
        check=False,
    )
    said = os.read(master, 1_000_000).decode()
    os.close(slave)
    os.close(master)
    assert (done.returncode, done.stdout) == (0, b"")
    assert "did you mean `KR`" in said
    assert "050 numbers cannot send" in said
    store = load_config(tmp_path / "shop" / "remindctl.yaml").stores["tea-co"].store
    assert (store.name, store.timezone, store.currency) == ("Tea & Co", "Asia/Seoul", "KRW")
    assert store.sender == {"phone": "0212345678"}


def files_for(facts: Facts, program: Program, served: tuple[str, ...] = ()) -> dict[str, bytes]:
    lib = library_folder()
    return folder(
        facts,
        read_library(lib, load_campaigns([lib]), facts.country),
        {"campaign": "{}"},
        program,
        served=served,
    )


def test_each_country_gets_what_is_written_for_it() -> None:
    lib = library_folder()
    campaigns = load_campaigns([lib])
    chosen = {code: read_library(lib, campaigns, code) for code in ("KR", "US", "DE")}
    assert set(chosen["KR"].pieces) | {"winback-us.yaml"} == {p.name for p in lib.glob("*.yaml")}
    assert set(chosen["KR"].later) == {
        "discount-day.yaml", "event-popup.yaml", "new-product.yaml", "review-for-points.yaml",
    }  # fmt: skip
    assert [one.file for one in chosen["US"].active] == ["winback-us.yaml"]
    assert [one.file for one in chosen["DE"].active] == ["winback.yaml"]
    assert {one.file for one in chosen["KR"].active if one.soon} == {
        "best-seller.yaml", "cart-coupon.yaml", "cart-last-pieces.yaml", "order-confirmed.yaml",
        "sign-up.yaml",
    }  # fmt: skip


def test_campaigns_are_for_the_store_and_find_what_they_name(tmp_path: Path) -> None:
    for name, content in files_for(replace(FACTS, key="초록"), Program("/a", ("x",))).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    paths = [tmp_path / "campaigns", tmp_path / "campaigns" / "later"]
    # They load: pictures and pages are beside the files that name them.
    assert {one.stores for one in load_campaigns(paths)} == {("초록",), ()}
    for path in [tmp_path / "remindctl.yaml", *tmp_path.rglob("campaigns/**/*.yaml")]:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        schema = path.parent / first.partition("$schema=")[2]
        kind = "config" if path.name == "remindctl.yaml" else "campaign"
        assert schema.resolve() == (tmp_path / "schemas" / f"{kind}.json").resolve()


def test_what_starts_it_survives_any_folder(tmp_path: Path) -> None:
    """The shell reads cron's line, and a unit's words are those of the program."""
    place = tmp_path / "it's 100% $HOME"
    place.mkdir()
    (place / ".env").write_text("SECRET=from-the-file\n")
    shown = ("/bin/sh", "-c", 'echo "$PWD|$SECRET|$*"', "sh")
    files = files_for(FACTS, Program(str(place), shown))
    lines = files["cron.txt"].decode().splitlines()
    daily, often = (line for line in lines if line and not line.startswith("#"))
    assert daily.startswith("5 16 * * * cd ")
    assert often.startswith("*/10 * * * * cd ")
    assert re.search(r"(?<!\\)%", daily) is None
    command = daily.split(maxsplit=5)[5].replace(r"\%", "%")
    out = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert out.stdout == f"{place}|from-the-file|run campaigns\n"
    unit = configparser.RawConfigParser(strict=True, comment_prefixes="#")
    unit.read_string(files["systemd/remindctl.service"].decode())
    doubled = str(place).replace("%", "%%")
    assert unit["Service"]["WorkingDirectory"] == doubled
    assert unit["Service"]["EnvironmentFile"] == f"-{doubled}/.env"
    words = shlex.split(unit["Service"]["ExecStart"].replace("$$", "$"))
    assert tuple(words) == (*shown, "run", "campaigns")
    unit.read_string(files["systemd/remindctl-often.timer"].decode())
    assert unit["Timer"]["OnCalendar"] == "*-*-* *:00/10 Asia/Seoul"


@pytest.mark.parametrize("served", [(), ("solapi", "smtp")])
def test_accounts_are_named_by_variables_and_used_once_the_version_can(
    served: tuple[str, ...],
) -> None:
    facts = replace(FACTS, providers=("solapi", "smtp"))
    files = files_for(facts, Program("/a", ("x",)), served)
    config = parse(files["remindctl.yaml"].decode(), "remindctl.yaml", ConfigFile).value
    channels = dict(config.stores["shop"].channels)
    assert set(channels.values()) == set(served)
    assert set(config.providers) == {"solapi", "smtp"}
    variables = re.findall("^(\\w+)=$", files[".env.example"].decode(), re.MULTILINE)
    named = {text[2:-1] for one in config.providers.values() for text in one.settings.values()
             if text.startswith("${")}  # fmt: skip
    assert named == set(variables)
    assert {"api_key", "api_secret"} <= set(config.providers["solapi"].settings)


texts = st.text(min_size=1, max_size=20)


@given(name=texts, url=texts, phone=texts, email=texts, address=texts, way_out=texts)
def test_whatever_is_told_lands_where_it_was_told(
    name: str, url: str, phone: str, email: str, address: str, way_out: str
) -> None:
    """No answer breaks out of its place: it is read back as told, or refused at its own line."""
    from remindctl.errors import Refused  # noqa: PLC0415

    facts = replace(FACTS, name=name, url=url, phone=phone, email=email, address=address,
                    optout_url=way_out)  # fmt: skip
    text = configuration(facts, served=PROVIDERS, pools=True)
    try:
        store = parse(text, "remindctl.yaml", ConfigFile).value.stores["shop"]
    except Refused as refused:
        at = {blame(text, problem.place.line) for problem in refused.problems}
        assert at <= {"name", "url", "phone", "email", "address", "optout_url"}
    else:
        assert (store.name, store.sender.address) == (name.strip(), address.strip())


@pytest.mark.parametrize("country", DEFAULTS)
def test_the_defaults_of_each_country_are_a_configuration(country: str) -> None:
    zone, currency = DEFAULTS[country]
    facts = replace(FACTS, country=country, timezone=zone, currency=currency, preset="EU")
    found = parse(configuration(facts, served=(), pools=False), "remindctl.yaml", ConfigFile).value
    assert found.stores["shop"].country == country


def test_the_wheel_brings_the_library(tmp_path: Path) -> None:
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling, which builds the package, is not installed")
    # From what belongs to the package only: a build looks at the folder it is in.
    for name in ("src", "campaigns"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    words = ["-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", "dist", "."]
    subprocess.run([sys.executable, *words], cwd=tmp_path, check=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    assert everything(tmp_path / "site" / "remindctl" / "starter" / "campaigns") == everything(
        ROOT / "campaigns"
    )
    done = subprocess.run(
        [sys.executable, "-m", "remindctl", "init", "shop", *KOREAN],
        cwd=tmp_path / "dist",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0
    assert (tmp_path / "dist" / "shop" / "campaigns" / "winback.yaml").is_file()
