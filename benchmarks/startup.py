"""Starting up: ``--help`` against an empty typer app, and an idle ``run`` against its imports."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

import typer

from benchmarks.generate import shopify_orders
from benchmarks.measure import Command, compared, in_turns
from remindctl.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from typer.core import TyperGroup

    from benchmarks.compare import Comparison

HELP_TARGET, RUN_TARGET = 1.15, 1.5
LINES = 100

# As the scripts that pip installs begin.
_PROGRAM = "import sys\nfrom {module} import {name}\nsys.exit({name}())\n"
_CONFIG = """\
version: 1
stores:
  shop:
    name: Green Goods
    timezone: America/New_York
    country: US
    currency: USD
    url: https://goods.example
    sender: {{phone: "+12025550100", email: hello@goods.example, contact: 202-555-0100,
             address: "1 Acorn Street, Mossbrook, NY 00001"}}
    optout: {{url: https://goods.example/optout}}
    sources: {{orders: {orders}}}
    max_data_age: 36500d
    policy: {{preset: US}}
"""
# Nobody has waited for ten years.
_CAMPAIGN = """\
version: 1
campaign: winback
purpose: advertising
steps:
  - id: only
    due: {after: last_order, wait: 3650d, within: 7d}
    send: [{channel: sms, text: "It has been a while."}]
"""
# The program itself, and then what it has imported, but for its own modules.
_LIBRARIES = """\
import json, sys
from remindctl.cli.app import app
app(sys.argv[1:], standalone_mode=False)
print(json.dumps([name for name, module in sys.modules.items()
    if not name.startswith(("remindctl", "__main__")) and getattr(module, "__spec__", None)]))
"""


def benchmark(
    sizes: Sequence[int], repeat: int, folder: Path, say: Callable[[str], None]
) -> Iterator[Comparison]:
    """Compare what starts up with the least that could.

    Args:
        sizes: not used, as there is one.
        repeat: rounds are its square, after one that is not counted: they are short, so that what
            else runs shows the more.
        folder: where the generated file is kept.
        say: told what is being done.

    Raises:
        RuntimeError: a contestant failed, or is not what it is to be.
    """
    del sizes
    rounds = repeat**2
    say(f"starting up: {rounds} rounds")
    with TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        yield from _help(scratch, rounds)
        orders = shopify_orders(LINES, folder=folder.resolve()).path
        yield from _idle_run(scratch, orders, rounds)


def _help(scratch: Path, repeat: int) -> Iterator[Comparison]:
    group = cast("TyperGroup", typer.main.get_command(app))
    (scratch / "empty.py").write_text(empty_app(group), encoding="utf-8")
    ours, theirs = scratch / "ours.py", scratch / "theirs.py"
    ours.write_text(_PROGRAM.format(module="remindctl.cli", name="main"), encoding="utf-8")
    theirs.write_text(_PROGRAM.format(module="empty", name="app"), encoding="utf-8")
    commands = {path: Command((str(path), "--help")) for path in (theirs, ours)}
    output = scratch / "output"
    for path, command in commands.items():
        command.run(output)
        listed = {
            line.split()[0] for line in output.read_text("utf-8").splitlines() if line.strip()
        }
        if missing := set(group.commands) - listed:
            raise RuntimeError(f"{path.name} --help does not list {', '.join(missing)}")
    costs = in_turns(commands, repeat, output)
    yield from compared(
        "--help", f"an empty typer app of {len(group.commands)} commands",
        costs[theirs], costs[ours], target=HELP_TARGET,
    )  # fmt: skip


def empty_app(group: TyperGroup) -> str:
    """Write a program with as many commands, as well described, that do nothing."""
    lines = [
        "import typer",
        f"app = typer.Typer(name={group.name!r}, help={group.help!r}, no_args_is_help=True,",
        "    rich_markup_mode=None, pretty_exceptions_enable=False)",
    ]
    for number, (name, command) in enumerate(group.commands.items()):
        lines += [
            f"@app.command({name!r})",
            f"def command_{number}() -> None:",
            f"    {command.help!r}",
        ]
    return "\n".join(lines) + "\n"


def _idle_run(scratch: Path, orders: Path, repeat: int) -> Iterator[Comparison]:
    config, campaign = scratch / "remindctl.yaml", scratch / "winback.yaml"
    config.write_text(_CONFIG.format(orders=json.dumps(str(orders))), encoding="utf-8")
    campaign.write_text(_CAMPAIGN, encoding="utf-8")
    words = ("run", str(campaign), "--config", str(config), "--output", "json")
    output, watched = scratch / "output", scratch / "watched.py"
    watched.write_text(_LIBRARIES, encoding="utf-8")
    first = Command(("-m", "remindctl", *words, "--new-log"))
    first.run(output)
    [run] = json.loads(output.read_text(encoding="utf-8"))["runs"]
    if run["due"]:
        raise RuntimeError(f"{run['due']} messages are due, and none was to be")
    Command((str(watched), *words)).run(output)
    names = json.loads(output.read_text(encoding="utf-8").splitlines()[-1])
    libraries = scratch / "libraries.py"
    lines = ["from importlib import import_module", *(f"import_module({one!r})" for one in names)]
    libraries.write_text("\n".join(lines) + "\n", encoding="utf-8")
    commands = {
        "imports": Command((str(libraries),)),
        "run": Command(("-m", "remindctl", *words)),
    }
    costs = in_turns(commands, repeat, output)
    yield from compared(
        f"run with nothing due, {LINES} lines", f"importing the {len(names)} modules it needs",
        costs["imports"], costs["run"], target=RUN_TARGET,
    )  # fmt: skip
