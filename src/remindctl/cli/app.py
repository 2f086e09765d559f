"""The commands and the one place where the program ends."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import Annotated, NoReturn

import typer

from remindctl import __version__
from remindctl.cli.commands import Program

DONE, SOME_FAILED, REFUSED, BUG, INTERRUPTED = 0, 1, 2, 3, 130

# Objects. Python looks for garbage after every 700 new ones, which a start mostly makes to last.
_BEFORE_COLLECTING = 50_000

# For the allocator in polars (jemalloc), which reads this when it is loaded: give freed memory back
# to the system after a tenth of a second, not after ten: who reads large files frees much.
_RETURN_MEMORY = "background_thread:true,dirty_decay_ms:100,muzzy_decay_ms:0"

app = typer.Typer(
    name="remindctl",
    cls=Program,
    help="Find how often your shop's customers come back, and remind the ones who are due.",
    no_args_is_help=True,
    # Rich's help costs more than the whole rest of --help.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(value: bool) -> None:  # noqa: FBT001 (typer calls it so)
    if value:
        typer.echo(f"remindctl {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[  # noqa: FBT002 (a flag on the command line)
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Run before any command."""


def main() -> NoReturn:
    """Run the program and end it with one of the documented exit codes."""
    os.environ.setdefault("_RJEM_MALLOC_CONF", _RETURN_MEMORY)
    gc.set_threshold(_BEFORE_COLLECTING)
    # Nor is there any use in looking through everything that was imported just before the end.
    atexit.register(gc.freeze)
    # A cron line may close a stream, which Python then does not have: what it gets goes nowhere.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    try:
        code = app(standalone_mode=False)
    except Exception as error:  # noqa: BLE001 (the outermost: whatever is left is a bug)
        code = _failed(error)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        code = INTERRUPTED
    sys.exit(code if isinstance(code, int) else DONE)


def _failed(error: Exception) -> int:
    from remindctl.errors import Refused  # noqa: PLC0415 (only on failure)
    from remindctl.report.stream import write_problems, write_talk  # noqa: PLC0415 (only on failure)

    if isinstance(error, Refused):
        write_problems(error.problems)
        return REFUSED
    if isinstance(error, typer.Abort):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        # The reader has gone (| head); Python would complain again when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    show = getattr(error, "show", None)
    if callable(show) and hasattr(error, "exit_code"):
        show()  # a usage error of typer's own
        return REFUSED
    if os.environ.get("REMINDCTL_TRACEBACK"):
        raise error
    # No traceback: it could show a customer's data. The type and the line of code never do.
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code if trace is not None else None
    where = f"{os.path.basename(code.co_filename)}:{trace.tb_lineno}" if code and trace else "?"  # noqa: PTH119
    write_talk(
        f"remindctl: a bug ({type(error).__name__} at {where}); nothing more was done.\n"
        "  hint: set REMINDCTL_TRACEBACK=1 to see all of it, and report it with that"
    )
    return BUG
