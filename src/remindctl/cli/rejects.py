"""Rows that were no use: refused when asked, or written down for a person to mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from remindctl.stores.load import Loaded, Source


def refuse_rejects(loads: Sequence[Loaded]) -> None:
    """Refuse files of which any row was no use.

    Raises:
        Refused: with every such row.
    """
    from remindctl.errors import Place, Problem, Refused  # noqa: PLC0415

    hint = "mend it in the file, or leave out --strict to go on without it"
    problems = [
        Problem(
            Place(row["file"], row["row"]), f"{row['column'] or 'the row'}: {row['reason']}", hint
        )
        for loaded in loads
        for row in loaded.rejects.iter_rows(named=True)
    ]
    if problems:
        raise Refused(problems)


def refuse_overwriting(path: Path, option: str, sources: Iterable[Source]) -> None:
    """Refuse to write an answer over what it was read from.

    Raises:
        Refused: ``path`` is one of the files.
    """
    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.stores.identify import file_of  # noqa: PLC0415

    files = {file_of(source.name) for source in sources}
    if path.exists() and any(file.exists() and path.samefile(file) for file in files):
        raise refuse(f"{path} is one of the files that are read", "name another file", path=option)


def write_rejects(path: Path, loads: Sequence[Loaded]) -> None:
    """Write the rows that were no use to a CSV.

    Raises:
        Refused: it cannot be written, or is one of the files that were read.
    """
    import polars as pl  # noqa: PLC0415

    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.report.spreadsheet import harmless  # noqa: PLC0415

    refuse_overwriting(path, "--rejects", [one for loaded in loads for one in loaded.sources])
    rejects = pl.concat([loaded.rejects for loaded in loads])
    try:
        # The mark lets Excel see that it is UTF-8.
        rejects.with_columns(harmless(pl.col("column", "value"))).write_csv(path, include_bom=True)
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise refuse(
            what, "name a file in a folder that you may write to", path=str(path)
        ) from error
