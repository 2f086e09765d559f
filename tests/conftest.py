"""What test files share: a real browser, and the databases that a send log may be kept in."""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome
    from tests.installation import Files
    from tests.postgresql import Server

# No profile, no updates, no talk with anyone: what is requested is what the page requests.
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def _found(*programs: str) -> str:
    """Find the first of some programs; without any, skip, or fail where everything must run."""
    for program in programs:
        path = shutil.which(program)
        if path is not None:
            return path
    return _missing(f"none of {', '.join(programs)} is installed")


def _missing(what: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and CI must run this test")
    pytest.skip(what)


@pytest.fixture(scope="session", autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """Keep no snapshots of files in the cache folder of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REMINDCTL_CACHE", "")
        yield


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Start Chromium once; its console and its requests are logged."""
    if importlib.util.find_spec("selenium") is None:
        _missing("selenium is not installed: pip install -e '.[test]'")
    from selenium.webdriver import Chrome, ChromeOptions  # noqa: PLC0415 (may be absent)
    from selenium.webdriver.chrome.service import Service  # noqa: PLC0415 (as above)

    options = ChromeOptions()
    options.binary_location = _found("chromium", "chromium-browser", "google-chrome")
    for argument in (*_QUIET, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = Chrome(options, Service(_found("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Use the PostgreSQL server that REMINDCTL_TEST_POSTGRES names, else start one."""
    if importlib.util.find_spec("psycopg") is None:
        _missing("psycopg is not installed: pip install -e '.[test]'")
    from tests import postgresql  # noqa: PLC0415 (imports psycopg)

    if postgresql.NAMED in os.environ:
        server = postgresql.Server(os.environ[postgresql.NAMED])
        yield server
        server.drop_all()
        return
    folder = postgresql.programs()
    if folder is None:
        _missing(f"no PostgreSQL server is installed, and {postgresql.NAMED} names none")
    with postgresql.started(folder) as server:
        yield server


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def log_backend(request: pytest.FixtureRequest) -> Callable[[Path], Files]:
    """Return what makes an installation in a folder, with its log in a file or in PostgreSQL."""
    from tests.installation import Files  # noqa: PLC0415 (other tests need none)

    if request.param == "sqlite":
        return Files
    server = request.getfixturevalue("postgres")
    return lambda folder: Files(folder, server.database())
