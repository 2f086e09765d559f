"""Result files and posted events, whatever their form, read into reports."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from remindctl.channels import Unreadable
from remindctl.channels.reading import detail
from remindctl.channels.reports import Report, events_in, read_event
from remindctl.errors import Place, Problem, Refused, refuse
from remindctl.model import State
from remindctl.policy import is_hard_bounce
from remindctl.stores.files import expand, open_file, read_text
from remindctl.stores.grids import grids
from remindctl.stores.tables import ROW

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from remindctl.stores.grids import Grid

# Field → its names, in small letters without blanks and signs; the first that is there counts.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("remindctl", "remindctlid", "id", "key", "메시지키"),
    "provider_id": (
        "providerid", "messageid", "msgid", "mid", "emailid", "sid", "메시지id", "메시지아이디",
        "메시지번호",
    ),
    "status": (
        "status", "state", "result", "event", "messagestatus", "상태", "결과", "전송결과",
        "발송결과", "수신결과",
    ),
    "code": ("code", "statuscode", "resultcode", "errorcode", "코드", "결과코드"),
    "reason": (
        "reason", "detail", "message", "error", "description", "diagnostic", "bouncetype", "사유",
        "실패사유",
    ),
    "to": (
        "to", "recipient", "phone", "email", "address", "수신번호", "수신자", "수신자번호",
        "전화번호", "휴대폰번호", "이메일",
    ),
}  # fmt: skip

_STATUSES: Mapping[str, tuple[State | None, str | None]] = {
    **dict.fromkeys(
        ("sent", "accepted", "queued", "sending", "pending", "processing", "대기", "발송",
         "접수", "전송중"),
        (State.SENT, None),
    ),
    **dict.fromkeys(
        ("delivered", "success", "ok", "read", "opened", "clicked", "성공", "완료", "전송완료",
         "발송성공", "수신완료"),
        (State.DELIVERED, None),
    ),
    **dict.fromkeys(
        ("undelivered", "failed", "fail", "failure", "error", "expired", "rejected", "canceled",
         "실패", "발송실패", "전송실패", "만료"),
        (State.UNDELIVERED, None),
    ),
    **dict.fromkeys(
        ("bounce", "bounced", "hardbounce", "dead", "반송", "결번", "없는번호"),
        (State.UNDELIVERED, "dead"),
    ),
    "softbounce": (State.UNDELIVERED, None),
    **dict.fromkeys(
        ("optout", "optedout", "unsubscribe", "unsubscribed", "stop", "complaint", "complained",
         "spam", "수신거부", "거부"),
        (None, "refused"),
    ),
}  # fmt: skip
_SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Told:
    """A report, and where it stands."""

    place: Place
    report: Report


def read_reports(patterns: Sequence[str]) -> tuple[list[Told], list[Problem]]:
    """Read CSV, workbooks, JSON and NDJSON.

    Returns:
        what is told; what cannot be read.

    Raises:
        Refused: a file cannot be read at all.
    """
    told: list[Told] = []
    problems: list[Problem] = []
    whole: list[Problem] = []
    for path in expand(patterns):
        try:
            for place, fields in _documents(path):
                try:
                    told.append(Told(place, _report(fields)))
                except Unreadable as error:
                    hint = "delivered, undelivered, opt-out, bounce, or an event as it was posted"
                    problems.append(Problem(place, str(error), hint))
        except Refused as refused:
            whole += refused.problems
    if whole:
        raise Refused(whole)
    return told, problems


def _documents(path: Path) -> Iterator[tuple[Place, Any]]:
    """Return each row or event of a file, with its place."""
    try:
        with path.open("rb") as file:
            start = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}", path=str(path)) from None
    if start[:1] in {b"{", b"["}:
        yield from _json(path)
        return
    for source in open_file(path, lambda _: None):
        for grid in grids(source):
            yield from _rows(grid)


def _json(path: Path) -> Iterator[tuple[Place, Any]]:
    text, name = read_text(path), str(path)
    try:
        document = json.loads(text)
    except ValueError:
        # One document a line.
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip():
                continue
            try:
                document = json.loads(line)
            except ValueError:
                # Nothing: not a mapping, so its reader says where.
                document = None
            yield from ((Place(name, number), event) for event in events_in(document))
        return
    yield from ((Place(name), event) for event in events_in(document))


def _rows(grid: Grid) -> Iterator[tuple[Place, Mapping[str, str]]]:
    titles = [_plain(cell) for cell in grid.head[0]]
    known = {name for names in _NAMES.values() for name in names}
    if not known & set(titles):
        hint = "a first row with titles such as id, status, code, to"
        raise refuse("no column is known here", hint, path=grid.name, line=1)
    cells = grid.table(0).collect(lambda rows: rows)
    columns = [name for name in cells.columns if name.startswith("c")]
    filled = cells.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in columns))
    for row in filled.iter_rows(named=True):
        values = {
            title: row[name] for title, name in zip(titles, columns, strict=False) if row[name]
        }
        yield Place(grid.name, row[ROW]), values


def _report(fields: object) -> Report:
    """Read a posted event, or what anybody may write who names the message and its state.

    Raises:
        Unreadable: neither.
    """
    if not isinstance(fields, dict):
        raise Unreadable("not an event")
    event = read_event(fields)
    if event is not None:
        return event
    plain = {_plain(str(name)): value for name, value in fields.items()}
    said = {
        field: str(next((plain[one] for one in names if plain.get(one)), "")).strip()
        for field, names in _NAMES.items()
    }
    status = _plain(said["status"])
    if status not in _STATUSES:
        raise Unreadable("a status that is not known" if status else "no status is told")
    names = tuple(said[field] for field in ("id", "provider_id") if said[field])
    if not (names or said["to"]):
        raise Unreadable("neither a message nor an address is named")
    state, suppress = _STATUSES[status]
    if suppress == "dead" and is_hard_bounce(f"{said['code']} {said['reason']}") is False:
        suppress = None
    return Report(
        names=names,
        state=state,
        code=said["code"] or None,
        detail=detail(said["reason"]),
        suppress=suppress,
        to=said["to"] or None,
    )


def _plain(text: str) -> str:
    return _SIGNS.sub("", text.casefold())
