"""Opening what a shop's download really is: told by its first bytes, never by its name.

A download may be a workbook, a password-protected workbook, text in one of several encodings, any
of these inside ``.gz`` or ``.zip``, or something that only looks like one of them.
"""

from __future__ import annotations

import glob
import gzip
import io
import lzma
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from remindctl.errors import Place, Problem, Refused, refuse
from remindctl.stores.encodings import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Password = Callable[[str], str | None]

ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
CFB = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
GZIP = b"\x1f\x8b"
# Text exports shrink to a fortieth; what grows further than this in memory is no export but a bomb.
MAX_INFLATION = 250
ALWAYS_FITS = 2**26
MAX_DEPTH = 4
UNZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError,
    NotImplementedError, RuntimeError,
)  # fmt: skip

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".gz", ".zip"})


@dataclass(frozen=True, slots=True)
class Workbook:
    """A readable ``.xlsx``; as bytes, since its reader believes the ending of a path."""

    name: str
    content: bytes
    modified_at: datetime


def expand(patterns: Iterable[str]) -> list[Path]:
    """Return the files that paths, folders and globs name, each once, in the order given.

    A folder stands for the tables directly in it; Excel's lock files (``~$…``) and hidden files are
    never exports.

    Raises:
        Refused: names every pattern that leads to nothing.
    """
    found: dict[Path, Path] = {}
    problems = []
    for pattern in patterns:
        try:
            for path in _matches(pattern):
                found.setdefault(path.resolve(), path)
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            problems.append(Problem(Place(_shown(pattern)), what, "check the path"))
        except Refused as error:
            problems.extend(error.problems)
    if problems:
        raise Refused(problems)
    return list(found.values())


def _matches(pattern: str) -> list[Path]:
    path = Path(pattern)
    if not pattern.strip():
        # The path of nothing is this folder, which an unset variable did not mean.
        raise refuse("a file without a name", "name a file, a folder or a pattern")
    if path.is_file():
        return [path]
    if path.is_dir():
        tables = [child for child in path.iterdir() if child.is_file() and _is_table(child.name)]
        if not tables:
            hint = f"tables end in {', '.join(sorted(TABLE_SUFFIXES))}"
            raise refuse("this folder holds no table", hint, path=_shown(pattern))
        return sorted(tables)
    if path.exists():
        raise refuse("neither a file nor a folder", "save it as a file first", path=_shown(pattern))
    names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (absolute patterns)
    matches = [Path(name) for name in names if Path(name).is_file() and Path(name).name[:2] != "~$"]
    if not matches:
        is_glob = any(sign in pattern for sign in "*?[")
        what = "no file matches" if is_glob else "no such file"
        raise refuse(what, _neighbour(path), path=_shown(pattern))
    return matches


def _neighbour(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"the folder {folder} does not exist either"
    tables = sorted(_shown(p.name) for p in folder.iterdir() if _is_table(p.name))
    return f"tables in that folder: {', '.join(tables[:5])}" if tables else "check the path"


def open_file(path: Path, password: Password) -> list[Workbook | Text]:
    """Return what lies in ``path``: one table source, or several for a ``.zip`` of files.

    Args:
        path: an existing file.
        password: asked with the file's name, only when the file is protected; None = not given.

    Raises:
        Refused: unreadable, protected without (or with a wrong) password, an old ``.xls``, empty,
            damaged, or no table at all.
    """
    name = _shown(str(path))
    try:
        modified_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        with path.open("rb") as file:
            head = file.read(4096)
        packed = head.startswith((ZIP, EMPTY_ZIP, CFB, GZIP))
        # The fast parser takes no path that is not UTF-8 (unpacked on a Korean Windows).
        content = path.read_bytes() if packed or name != str(path) else path
    except OSError as error:
        raise refuse(
            f"cannot be read: {error.strerror}", "check its permissions", path=name
        ) from error
    if isinstance(content, bytes) and packed:
        return list(_unpack(name, content, modified_at, password))
    return [_text(name, content, head, modified_at)]


def _shown(name: str) -> str:
    """Return a file's name as text: a disk may hold names of other encodings."""
    raw = os.fsencode(name)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp949", errors="replace")


def _unpack(
    name: str,
    content: bytes,
    modified_at: datetime,
    password: Password,
    depth: int = 0,
) -> Iterator[Workbook | Text]:
    if depth > MAX_DEPTH:
        raise refuse("archives within archives without end", "unpack it first", path=name)
    if content.startswith((ZIP, EMPTY_ZIP)):
        yield from _zip(name, content, modified_at, password, depth)
    elif content.startswith(CFB):
        yield Workbook(name, _decrypt(name, content, password), modified_at)
    elif content.startswith(GZIP):
        inner = _gunzip(name, content)
        yield from _unpack(name, inner, modified_at, password, depth + 1)
    else:
        yield _text(name, content, content[:4096], modified_at)


def _zip(
    name: str,
    content: bytes,
    modified_at: datetime,
    password: Password,
    depth: int,
) -> Iterator[Workbook | Text]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except UNZIP_ERRORS as error:
        raise _damaged(name) from error
    with archive:
        members = archive.infolist()
        names = {member.filename for member in members}
        if sum(member.file_size for member in members) > _plausible(len(content)):
            raise refuse("unpacks to an implausible size", "unpack it first", path=name)
        if "xl/workbook.xml" in names:
            yield Workbook(name, content, modified_at)
            return
        if names & {"[Content_Types].xml", "mimetype"}:
            raise refuse(
                "an office file, but no .xlsx workbook",
                "open it and save it as .xlsx or as CSV UTF-8",
                path=name,
            )
        tables = [m for m in members if _is_table(m.filename)]
        if not tables:
            seen = ", ".join(sorted(map(_member_name, members))[:5]) or "nothing"
            raise refuse("the archive holds no table", f"it holds {seen}", path=name)
        for member in tables:
            inner = f"{name}!{_member_name(member)}"
            if member.flag_bits & 1:
                raise refuse(
                    "a protected archive cannot be read",
                    "unpack it first, then name the files",
                    path=inner,
                )
            try:
                data = archive.read(member)
            except UNZIP_ERRORS as error:
                raise _damaged(inner) from error
            yield from _unpack(inner, data, modified_at, password, depth + 1)


def _plausible(packed: int) -> int:
    return max(MAX_INFLATION * packed, ALWAYS_FITS)


def _damaged(name: str) -> Refused:
    return refuse(
        "the file is damaged or was cut off while downloading", "download it again", path=name
    )


def _is_table(name: str) -> bool:
    path = Path(name)
    return (
        not name.endswith("/")
        and not name.startswith("__MACOSX/")
        and not path.name.startswith((".", "~$"))
        and path.suffix.lower() in TABLE_SUFFIXES
    )


def _member_name(member: zipfile.ZipInfo) -> str:
    # Without a mark, names are read as CP437. Macs write UTF-8 so, Korean Windows CP949.
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return _shown(os.fsdecode(member.filename.encode("cp437")))
    except UnicodeError:
        return member.filename


def _gunzip(name: str, content: bytes) -> bytes:
    limit = _plausible(len(content))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            data = file.read(limit + 1)
    except UNZIP_ERRORS as error:
        raise _damaged(name) from error
    if len(data) > limit:
        raise refuse("unpacks to an implausible size", "unpack it first", path=name)
    return data


def _decrypt(name: str, content: bytes, password: Password) -> bytes:
    from msoffcrypto import OfficeFile  # noqa: PLC0415 (most runs meet no protected file)
    from msoffcrypto import exceptions as crypto  # noqa: PLC0415

    try:
        office = OfficeFile(io.BytesIO(content))
        protected = office.format == "ooxml" and office.is_encrypted()
    except Exception as error:
        raise _damaged(name) from error
    if not protected:
        raise refuse(
            "an old .xls workbook, which is not read",
            "open it in Excel or LibreOffice and save it as .xlsx or as CSV UTF-8",
            path=name,
        )
    secret = password(name)
    if not secret:
        raise refuse(
            "the file is protected by a password, and none was given",
            "put the password in an environment variable and add --password-env NAME",
            path=name,
        )
    plain = io.BytesIO()
    try:
        office.load_key(password=secret, verify_password=True)
        office.decrypt(plain)
    except crypto.InvalidKeyError as error:
        raise refuse(
            "the password is wrong",
            "Smartstore asks for a new password at each download: use the one typed then",
            path=name,
        ) from error
    except Exception as error:
        raise _damaged(name) from error
    if not plain.getvalue().startswith(ZIP):
        raise _damaged(name)
    return plain.getvalue()


def _text(name: str, content: Path | bytes, head: bytes, modified_at: datetime) -> Text:
    if not head.strip():
        raise refuse("the file is empty", "download it again", path=name)
    start = head.lstrip()[:512].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<meta", b"<?xml")):
        raise refuse(
            "a web page saved under a table's name",
            "open it in Excel and save it as .xlsx or as CSV UTF-8",
            path=name,
        )
    if start.startswith(b"%pdf"):
        raise refuse("a PDF, not a table", "download the export as Excel or CSV", path=name)
    return Text(name, content, modified_at)


def read_text(path: Path) -> str:
    """Return a settings file as text.

    Raises:
        Refused: absent, unreadable, or not UTF-8.
    """
    try:
        return path.read_bytes().decode().removeprefix("\ufeff")
    except FileNotFoundError as error:
        raise refuse("no such file", _neighbour(path), path=str(path)) from error
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}", "name a file", path=str(path)) from error
    except UnicodeDecodeError as error:
        raise refuse("not UTF-8 text", "save it as UTF-8", path=str(path)) from error
