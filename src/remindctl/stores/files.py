"""Opening what a shop's download really is: told by its first bytes, never by its name.

A download may be a workbook, a password-protected workbook, text in one of several encodings, any
of these inside ``.gz`` or ``.zip``, or something that only looks like one of them.
"""

from __future__ import annotations

import glob
import gzip
import io
import zipfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from remindctl.errors import Place, Problem, Refused, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Password = Callable[[str], str | None]

ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
CFB = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
GZIP = b"\x1f\x8b"
# Decompressed data beyond this factor is no export but a bomb; text exports reach about 40.
MAX_INFLATION = 1_000
MAX_MEMBER_BYTES = 32 * 2**30

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".gz", ".zip"})


@dataclass(frozen=True, slots=True)
class Workbook:
    """A readable ``.xlsx``: a path on disk, or its bytes where it was protected or packed."""

    name: str
    content: Path | bytes
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Text:
    """Delimited text, not yet decoded: a path on disk, or its bytes where it was packed."""

    name: str
    content: Path | bytes
    modified_at: datetime

    def head(self, size: int) -> bytes:
        """Return the first ``size`` bytes."""
        if isinstance(self.content, bytes):
            return self.content[:size]
        with self.content.open("rb") as file:
            return file.read(size)

    def tail(self, size: int) -> bytes:
        """Return the last ``size`` bytes."""
        if isinstance(self.content, bytes):
            return self.content[-size:]
        with self.content.open("rb") as file:
            file.seek(max(0, self.content.stat().st_size - size))
            return file.read()

    def read(self) -> bytes:
        """Return all of it."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


def expand(patterns: Iterable[str]) -> list[Path]:
    """Return the files that paths, folders and globs name, each once, in the order given.

    A folder stands for the tables directly in it; Excel's lock files (``~$…``) and hidden files are
    never exports.

    Raises:
        Refused: names every pattern that leads to nothing.
    """
    found: dict[Path, None] = {}
    problems = []
    for pattern in patterns:
        path = Path(pattern)
        if path.is_file():
            matches = [path]
        elif path.is_dir():
            matches = sorted(
                child
                for child in path.iterdir()
                if child.is_file()
                and child.suffix.lower() in TABLE_SUFFIXES
                and not child.name.startswith((".", "~$"))
            )
            if not matches:
                hint = f"tables end in {', '.join(sorted(TABLE_SUFFIXES))}"
                problems.append(Problem(Place(pattern), "this folder holds no table", hint))
        else:
            matches = [
                Path(name)
                for name in sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (absolute)
                if Path(name).is_file() and not Path(name).name.startswith("~$")
            ]
            if not matches:
                is_glob = any(sign in pattern for sign in "*?[")
                what = "no file matches" if is_glob else "no such file"
                problems.append(Problem(Place(pattern), what, _neighbour(path)))
        found.update(dict.fromkeys(matches))
    if problems:
        raise Refused(problems)
    return list(found)


def _neighbour(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"the folder {folder} does not exist either"
    tables = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in TABLE_SUFFIXES)
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
    try:
        modified_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise refuse(
            f"cannot be read: {error.strerror}", "check its permissions", path=str(path)
        ) from error
    if head.startswith((ZIP, EMPTY_ZIP, CFB, GZIP)):
        return list(_unpack(str(path), path.read_bytes(), modified_at, password, whole=path))
    return [_text(str(path), path, head, modified_at)]


def _unpack(
    name: str,
    content: bytes,
    modified_at: datetime,
    password: Password,
    *,
    whole: Path | None = None,
) -> Iterator[Workbook | Text]:
    if content.startswith((ZIP, EMPTY_ZIP)):
        yield from _zip(name, content, modified_at, password, whole)
    elif content.startswith(CFB):
        yield Workbook(name, _decrypt(name, content, password), modified_at)
    elif content.startswith(GZIP):
        inner = _gunzip(name, content)
        yield from _unpack(name, inner, modified_at, password)
    else:
        yield _text(name, content, content[:4096], modified_at)


def _zip(
    name: str, content: bytes, modified_at: datetime, password: Password, whole: Path | None
) -> Iterator[Workbook | Text]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise refuse(
            "the file is damaged or was cut off while downloading", "download it again", path=name
        ) from error
    with archive:
        members = archive.infolist()
        if any(member.filename == "xl/workbook.xml" for member in members):
            yield Workbook(name, content if whole is None else whole, modified_at)
            return
        tables = [m for m in members if _is_table(m.filename)]
        if not tables:
            seen = ", ".join(sorted(m.filename for m in members)[:5]) or "nothing"
            raise refuse("the archive holds no table", f"it holds {seen}", path=name)
        for member in tables:
            inner = f"{name}!{_member_name(member)}"
            if member.flag_bits & 1:
                raise refuse(
                    "a protected archive cannot be read",
                    "unpack it first, then name the files",
                    path=inner,
                )
            if member.file_size > max(MAX_INFLATION * max(member.compress_size, 1), 2**20) or (
                member.file_size > MAX_MEMBER_BYTES
            ):
                raise refuse("unpacks to an implausible size", "unpack it first", path=inner)
            try:
                data = archive.read(member)
            except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
                raise refuse(
                    "this part of the archive is damaged", "download it again", path=inner
                ) from error
            yield from _unpack(inner, data, modified_at, password)


def _is_table(name: str) -> bool:
    path = Path(name)
    return (
        not name.endswith("/")
        and not name.startswith("__MACOSX/")
        and not path.name.startswith((".", "~$"))
        and path.suffix.lower() in TABLE_SUFFIXES
    )


def _member_name(member: zipfile.ZipInfo) -> str:
    # Windows' own zip writes Korean names in CP949 without saying so; zipfile then reads CP437.
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("cp949")
    except UnicodeError:
        return member.filename


def _gunzip(name: str, content: bytes) -> bytes:
    limit = max(MAX_INFLATION * len(content), 2**20)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            data = file.read(limit + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise refuse(
            "the file is damaged or was cut off while downloading", "download it again", path=name
        ) from error
    if len(data) > limit:
        raise refuse("unpacks to an implausible size", "unpack it first", path=name)
    return data


def _decrypt(name: str, content: bytes, password: Password) -> bytes:
    from msoffcrypto import OfficeFile  # noqa: PLC0415 (most runs meet no protected file)
    from msoffcrypto import exceptions as crypto  # noqa: PLC0415

    damaged = refuse("the file is damaged or no table", "download it again", path=name)
    try:
        office = OfficeFile(io.BytesIO(content))
        encrypted = office.is_encrypted()
    except (crypto.FileFormatError, crypto.ParseError, OSError, ValueError, EOFError) as error:
        raise damaged from error
    if office.format != "ooxml" or not encrypted:
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
    except (crypto.DecryptionError, crypto.FileFormatError, crypto.ParseError) as error:
        raise damaged from error
    except (OSError, ValueError, EOFError) as error:
        raise damaged from error
    if not plain.getvalue().startswith(ZIP):
        raise damaged
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


def decode(text: Text) -> tuple[Path | bytes, str]:
    """Return ``text`` as UTF-8 (the path itself where it already is) and the name of its encoding.

    UTF-8 is tried first and strictly: UTF-8 bytes decode as CP949 without an error into nonsense,
    while CP949 bytes fail loudly as UTF-8. A plain UTF-8 file on disk is judged by its first and
    last megabyte, so that a large one is read once; the parser refuses invalid bytes further in.

    Raises:
        Refused: neither UTF-8, UTF-16 nor CP949; names the row of the first undecodable byte.
    """
    head = text.head(2**20)
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if head.startswith(mark):
            return _transcode(text, encoding), encoding
    if b"\x00" in head:
        raise refuse(
            "not a table: it holds binary data",
            "download the export as Excel or CSV",
            path=text.name,
        )
    if _is_utf8_prefix(head) and _is_utf8_suffix(text.tail(2**20)):
        return text.content, "utf-8-sig" if head.startswith(b"\xef\xbb\xbf") else "utf-8"
    return _transcode(text, "cp949"), "cp949"


def _is_utf8_prefix(part: bytes) -> bool:
    try:
        part.decode()
    except UnicodeDecodeError as error:
        # A character cut in two by the end of the sample is no fault of the file.
        return error.reason == "unexpected end of data" and error.end == len(part)
    return True


def _is_utf8_suffix(part: bytes) -> bool:
    return any(_is_utf8_prefix(part[skip:]) for skip in range(min(4, len(part) + 1)))


def decode_bytes(name: str, content: bytes) -> tuple[str, str]:
    """Return ``content`` as text and the name of its encoding: all of it as UTF-8, else as CP949.

    Raises:
        Refused: neither; names the line of the first undecodable byte.
    """
    try:
        return content.decode().removeprefix("\ufeff"), "utf-8"
    except UnicodeDecodeError:
        return _decode(name, content, "cp949"), "cp949"


def _transcode(text: Text, encoding: str) -> bytes:
    return _decode(text.name, text.read(), encoding).removeprefix("\ufeff").encode()


def _decode(name: str, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise refuse(
            "neither UTF-8 nor CP949 (Korean Windows) text",
            "open the file in Excel and save it as CSV UTF-8",
            path=name,
            line=line,
        ) from error


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
        raise refuse(f"cannot be read: {error.strerror}", path=str(path)) from error
    except UnicodeDecodeError as error:
        raise refuse("not UTF-8 text", "save it as UTF-8", path=str(path)) from error


def combine_problems(errors: Sequence[Refused]) -> Refused:
    """Join the problems of several files into one refusal."""
    return Refused(problem for error in errors for problem in error.problems)
