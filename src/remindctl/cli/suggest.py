"""``analyze --suggest``: put suggested campaigns into a folder, never over a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from remindctl.analysis import Analysis


def write_campaigns(folder: Path, analyses: Sequence[Analysis], stores: Sequence[str]) -> None:
    """Write the suggested campaigns of one store, all of them or none.

    Args:
        folder: where to; made if need be.
        analyses: one.
        stores: the store's name in ``remindctl.yaml``, where it came from there.

    Raises:
        Refused: there are several stores, one of the files is there already, or the folder cannot
            be written to.
    """
    from remindctl.errors import Place, Problem, Refused, refuse  # noqa: PLC0415
    from remindctl.report.stream import write_talk  # noqa: PLC0415
    from remindctl.report.suggest import campaign_files  # noqa: PLC0415

    if len(analyses) != 1:
        hint = "one store at a time, each with a folder of its own"
        raise refuse("campaigns are suggested from one store's curves", hint, path="--suggest")
    files = campaign_files(analyses[0], stores)
    if not files:
        write_talk("no campaign is suggested: too few customers have come back so far")
        return
    there = [folder / name for name in files if (folder / name).exists()]
    if there:
        hint = "nothing is written over; name a new folder, or move these away"
        raise Refused(Problem(Place(str(path)), "is there already", hint) for path in there)
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            # Exclusive: a file that has come up in the meantime is not written over either.
            with (folder / name).open("x", encoding="utf-8", newline="\n") as file:
                written.append(folder / name)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        where = error.filename or folder
        raise refuse(f"cannot be written: {error.strerror}", path=str(where)) from error
    for path in written:
        write_talk(f"wrote {path}")
