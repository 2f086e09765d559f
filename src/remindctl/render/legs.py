"""One leg's templates → each customer's message, labelled and measured, or why there is none."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from remindctl.errors import Place, Problem, Refused
from remindctl.model import FAMILY, Channel, Family, Purpose
from remindctl.render import lengths
from remindctl.render.check import problems
from remindctl.render.filters import filters
from remindctl.render.labels import Label, hand_made, is_korean, label
from remindctl.render.sandbox import RenderError, clean, compile_template, fill, sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jinja2 import Template

    from remindctl.model import Leg, Store

# What templates know besides the columns of Profiles: name → the names below it.
STORE_NAMES: Mapping[str, Mapping[str, Any] | None] = {
    **dict.fromkeys(("key", "name", "url", "country", "currency")),
    "sender": dict.fromkeys(("phone", "email", "contact", "address")),
    "optout": dict.fromkeys(("phone", "url")),
}
# The occasion: its id, its instant, and its date on the store's calendar.
ANCHOR_NAMES: Mapping[str, None] = dict.fromkeys(("id", "at", "on"))
NAMES: Mapping[str, Mapping[str, Any] | None] = {"store": STORE_NAMES, "anchor": ANCHOR_NAMES}

KOREAN_BYTES = {Channel.SMS: 90, Channel.LMS: 2_000, Channel.MMS: 2_000}
KOREAN_SUBJECT_BYTES = 40
# Twilio takes no longer body; ten parts of GSM-7 are not longer either.
INTERNATIONAL_CHARACTERS = 1_600
KAKAO_CHARACTERS = 1_300


class Rendered(NamedTuple):
    """One customer's message, as it will be sent.

    Attributes:
        text, subject, html: labels and refusal lines included.
        advertising: what the provider must be told where it labels by itself.
        encoding: cp949, gsm-7, ucs-2 or utf-8.
        units: length of ``text`` in bytes, septets or UTF-16 units of ``encoding``.
        parts: as how many messages it is billed.
    """

    text: str
    subject: str | None
    html: str | None
    advertising: bool
    encoding: str
    units: int
    parts: int


class RenderProblem(NamedTuple):
    """Why one customer gets no message: held for ``reason``, because of ``what``."""

    what: str
    hint: str = ""
    reason: str = "content"


@dataclass(frozen=True, slots=True)
class CompiledLeg:
    """A leg ready to be filled; made by :func:`compile_leg`."""

    channel: Channel
    advertising: bool
    korean: bool
    label: Label
    store: Mapping[str, object]
    templates: Mapping[str, Template]
    names: frozenset[str]

    def render(self, rows: Iterable[Mapping[str, object]]) -> list[Rendered | RenderProblem]:
        """Fill the templates once for each row.

        Args:
            rows: the columns of Profiles that :attr:`names` asks for, and ``anchor``, a mapping of
                :data:`ANCHOR_NAMES`. Nulls are names the customer does not have.

        Returns:
            one message or problem for each row, in their order.
        """
        return [self._render(row) for row in rows]

    def _render(self, row: Mapping[str, object]) -> Rendered | RenderProblem:
        values = {name: clean(row[name]) for name in self.names if name in row}
        values = {name: value for name, value in values.items() if value is not None}
        values["store"] = self.store
        try:
            filled = {name: fill(template, values) for name, template in self.templates.items()}
        except RenderError as error:
            return RenderProblem(str(error), error.hint)
        text = _tidy(filled["text"])
        subject = " ".join(filled["subject"].split()) if "subject" in filled else None
        if not text or subject == "":
            return RenderProblem(f"the {'subject' if text else 'text'} is empty")
        for written in (text, subject):
            if self.advertising and written and (found := hand_made(written, head=True)):
                return RenderProblem(f"`{found}` is written by hand")
        text = self.label.on_text(text)
        # Korean long messages have a title; nobody else's text messages do.
        if subject is not None and (FAMILY[self.channel] is not Family.TEXT or self.korean):
            subject = self.label.on_subject(subject)
        else:
            subject = None
        html = self.label.on_html(filled["html"]) if "html" in filled else None
        length = self._length(text)
        for what, hint in self._excess(text, subject, length.units):
            return RenderProblem(what, hint)
        return Rendered(text, subject, html, self.advertising, *length)

    def _length(self, text: str) -> lengths.Length:
        if FAMILY[self.channel] is not Family.TEXT:
            return lengths.unlimited(text)
        return lengths.korean(text) if self.korean else lengths.international(text)

    def _excess(self, text: str, subject: str | None, units: int) -> Iterator[tuple[str, str]]:
        """Yield what the channel cannot carry, with a way out."""
        family = FAMILY[self.channel]
        if family is Family.TEXT and self.korean:
            if strange := lengths.outside_cp949(text + (subject or "")):
                what = f"Korean text messages cannot carry {strange!r}"
                yield what, "take it out; emoji and – are not in CP949"
            most = KOREAN_BYTES[self.channel]
            if units > most:
                longer = "or send it as lms" if self.channel is Channel.SMS else "or as e-mail"
                what = f"{units} bytes, of {most} that an {self.channel} holds"
                yield f"{what}, label and refusal line included", f"shorten it, {longer}"
            if subject and (size := lengths.sms_bytes(subject)) > KOREAN_SUBJECT_BYTES:
                yield f"the subject has {size} bytes, of {KOREAN_SUBJECT_BYTES}", "shorten it"
        elif family is Family.TEXT and len(text) > INTERNATIONAL_CHARACTERS:
            yield f"{len(text)} characters, of {INTERNATIONAL_CHARACTERS}", "shorten it"
        elif family is Family.KAKAO and len(text) > KAKAO_CHARACTERS:
            yield f"{len(text)} characters, of {KAKAO_CHARACTERS}", "shorten it"


def compile_leg(leg: Leg, store: Store, purpose: Purpose) -> CompiledLeg:
    """Compile a leg for a store.

    Raises:
        Refused: a template is wrong, or the configuration lacks what the law asks for.
    """
    sources = {"text": leg.text, "subject": leg.subject, "html": leg.html}
    given = {name: source for name, source in sources.items() if source is not None}
    found = [
        Problem(_line(leg.places.get(name, Place()), problem.line), problem.what, problem.hint)
        for name, source in given.items()
        for problem in problems(source)
    ]
    if found:
        raise Refused(found)
    ours = filters(store)
    compiled = {
        name: compile_template(sandbox(ours, html=name == "html"), source)
        for name, source in given.items()
    }
    return CompiledLeg(
        channel=leg.channel,
        advertising=purpose is Purpose.ADVERTISING,
        korean=is_korean(store),
        label=label(store, leg.channel, purpose),
        store=_store_values(store),
        templates={name: template for name, (template, _) in compiled.items()},
        names=frozenset().union(*(names for _, names in compiled.values())) - {"store"},
    )


def _store_values(store: Store) -> dict[str, object]:
    """What templates see of a store; what is not configured is missing, as with customers."""
    values = {name: getattr(store, name) for name in STORE_NAMES}
    return {name: value for name, value in values.items() if value != ""}


def _line(place: Place, line: int) -> Place:
    return place if line == 1 else replace(place, line=place.line + line - 1, column=0)


def _tidy(text: str) -> str:
    """Take out the blank ends and gaps that conditions leave behind."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").split("\n")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip()
