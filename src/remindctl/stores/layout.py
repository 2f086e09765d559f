"""Layouts: what the columns of one export format mean, as data.

The built-in formats stand beside this module in ``layouts/``, one YAML file each, in the same form
that ``--layout`` takes. A store's own column names stand nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, model_validator

from remindctl.documents import OneOrMore, Strict, did_you_mean, parse, wrong
from remindctl.errors import refuse
from remindctl.stores.files import read_text
from remindctl.stores.tables import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LINE_FIELDS = (
    "line_id",
    "product_id",
    "product",
    "option",
    "sku",
    "category",
    "quantity",
    "price",
)
ORDER_FIELDS = (
    "order_id",
    "ordered_at",
    "delivered_at",
    "confirmed_at",
    "cancelled_at",
    "currency",
    "discount_code",
    "amount",
    "refunded",
)
# Of an address only these two are read, and kept only as far as a country and a zone go.
PERSON_FIELDS = ("customer_id", "email", "phone", "name", "country", "province")
CUSTOMER_FIELDS = (
    *PERSON_FIELDS,
    "first_name",
    "last_name",
    "locale",
    "timezone",
    "signed_up_at",
    "tags",
)
EVENT_FIELDS = (
    *PERSON_FIELDS,
    "event",
    "occurred_at",
    "event_id",
    "cart_id",
    "push_token",
    "product_id",
    "product",
    "url",
    "quantity",
    "value",
    "stock",
    "code",
)
CONSENT_FIELDS = (
    "phone",
    "email",
    "customer_id",
    "push_token",
    "channel",
    "purpose",
    "granted",
    "at",
    "night",
    "source",
    "wording",
    "notice_sent_at",
)
FIELDS: Mapping[str, tuple[str, ...]] = {
    "orders": (*ORDER_FIELDS, *LINE_FIELDS, *PERSON_FIELDS),
    "customers": CUSTOMER_FIELDS,
    "events": EVENT_FIELDS,
    "consents": CONSENT_FIELDS,
}
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "orders": ("order_id", "ordered_at"),
    "customers": (),
    "events": ("occurred_at",),
    "consents": ("channel", "granted"),
}

AS_WRITTEN = "as written"
# Spelled out once more because a type must be: a typo is then a problem at its own place.
FieldName = Literal[
    "order_id", "ordered_at", "delivered_at", "confirmed_at", "cancelled_at", "currency",
    "discount_code", "amount", "refunded", "line_id", "product_id", "product", "option", "sku",
    "category", "quantity", "price", "customer_id", "email", "phone", "name", "country", "province",
    "first_name", "last_name", "locale", "timezone", "signed_up_at", "tags", "event", "occurred_at",
    "event_id", "cart_id", "push_token", "url", "value", "stock", "code", "channel", "purpose",
    "granted", "at", "night", "source", "wording", "notice_sent_at",
]  # fmt: skip
Outcome = Literal["paid", "pending", "cancelled", "refunded", "exchanged", "next"]


def _zone(name: str) -> str:
    if name != AS_WRITTEN:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            hint = f"an IANA name such as Asia/Seoul, or '{AS_WRITTEN}'"
            raise wrong(f"{name!r} is no time zone", hint) from error
    return name


def _pattern(text: str) -> str:
    try:
        groups = re.compile(text).groupindex
    except re.error as error:
        raise wrong(f"not a regular expression: {error}") from error
    if "date" not in groups:
        raise wrong("the pattern names no date", r"(?P<date>\d{8}), and (?P<time>\d{4}) if present")
    return text


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, (dict, str)) else value


class Identify(Strict):
    """How a file of this format is told from every other: by its header alone.

    Attributes:
        has: columns that are all present.
        any_of: columns of which at least one is present.
        lacks: columns of which none is present.
    """

    has: Annotated[OneOrMore, Field(min_length=1)]
    any_of: OneOrMore = ()
    lacks: OneOrMore = ()

    def claims(self, header: frozenset[str]) -> bool:
        """Tell whether ``header`` (normalised names) is one of this format."""
        has, any_of, lacks = (
            {normalise(name) for name in names} for names in (self.has, self.any_of, self.lacks)
        )
        return has <= header and not (lacks & header) and (not any_of or bool(any_of & header))


class StatusRule(Strict):
    """One column that says how an order stands; rules are asked in order until one answers.

    Attributes:
        column: the first of these that is present and not blank.
        filled: the answer where the column holds anything at all.
        values: text → answer; compared without case and blanks.
        contains: part of the text → answer, the first part that occurs; asked after ``values``.
        other: the answer for a text that no entry names, for a column whose other words say nothing
            of their own; without it such a text is a problem, not a guess.
        blank: the answer where the column is blank or absent.

    An answer of ``next`` asks the next rule.
    """

    column: OneOrMore
    filled: Outcome | None = None
    values: dict[str, Outcome] = Field(default_factory=dict)
    contains: dict[str, Outcome] = Field(default_factory=dict)
    other: Outcome | None = None
    blank: Outcome = "next"

    def answer(self, text: str | None) -> Outcome | None:
        """Return the answer for ``text``, or None where it has none."""
        if text is None or not text.strip():
            return self.blank
        if self.filled is not None:
            return self.filled
        key = _compact(text)
        for value, outcome in self.values.items():
            if _compact(value) == key:
                return outcome
        for part, outcome in self.contains.items():
            if _compact(part) in key:
                return outcome
        return self.other


def _compact(text: str) -> str:
    return "".join(text.split()).casefold()


class ConsentRule(Strict):
    """One column that says whether the person agreed to a channel.

    Attributes:
        column: the first of these that is present and not blank.
        channel: a channel (sms, email, …) or a family of them (text, kakao, email, push).
        purpose: of the messages.
        yes: what stands in it where the person agreed.
        no: and where not: in a customer file that is a refusal, which no undated grant lifts; in an
            order file it only means that this order brought no consent.
    """

    column: OneOrMore
    channel: str
    purpose: Literal["advertising", "informational"] = "advertising"
    yes: OneOrMore = ("yes", "true", "1", "y", "동의", "수신동의", "수신")
    no: OneOrMore = ("no", "false", "0", "n", "거부", "수신거부", "미동의", "수신안함")


class Layout(Strict):
    """One export format.

    Attributes:
        version: of this format; 1.
        layout: its name, as ``layouts show`` takes it.
        title: what it is, for people.
        identify: what its header has; of several alternatives any will do.
        shop: files of one shop share this; two shops in one call are refused.
        kind: what a row is.
        zone: where its clock times are, or ``as written`` with an offset.
        region: the country of phone numbers without a country code (ISO 3166).
        currency: of all amounts, unless ``columns.currency`` says so row by row.
        exported_at: a regular expression over the file's name: when it was downloaded.
        helper_rows: column → values that mark a row of instructions, not data.
        repair: ``cp949-as-latin1`` mends headers and cells whose CP949 bytes were read as Latin-1.
        columns: canonical field → source columns; per row, the first that is present and not blank.
        dates: how dates are written, tried in order (strptime); ISO 8601 and Excel's serial numbers
            are always understood.
        order_fields: whether what belongs to the whole order stands on every row of it.
        amount_level: whether ``amount`` is the line's, or the order's on each or on its first row.
        line_key: fields that make a line unique; the order's id and the line's position otherwise.
        status: rules, asked in order; without any, every line is paid.
        consents: columns that hold consent.
        event: the name of the event that each row is, unless ``columns.event`` says it (kind:
            events).
    """

    refused_keys: ClassVar[Mapping[str, str]] = {
        "amount": "say where it stands in columns.amount and what it means in amount_level"
    }

    version: Annotated[int, Field(ge=1, le=1)] = 1
    layout: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: str
    shop: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    kind: Literal["orders", "customers", "events", "consents"] = "orders"
    identify: Annotated[
        tuple[Identify, ...],
        BeforeValidator(_one_or_more, json_schema_input_type=Identify | tuple[Identify, ...]),
        Field(min_length=1),
    ]
    zone: Annotated[str, AfterValidator(_zone)]
    region: Annotated[str | None, Field(pattern=r"^[A-Z]{2}$")] = None
    currency: Annotated[str | None, Field(pattern=r"^[A-Z]{3}$")] = None
    exported_at: Annotated[str, AfterValidator(_pattern)] | None = None
    helper_rows: dict[str, OneOrMore] = Field(default_factory=dict)
    repair: Literal["cp949-as-latin1"] | None = None
    columns: dict[FieldName, OneOrMore]
    dates: OneOrMore = ()
    order_fields: Literal["every row", "first row"] = "every row"
    amount_level: Literal["line", "order", "order's first row"] = "line"
    line_key: Annotated[
        tuple[FieldName, ...],
        BeforeValidator(_one_or_more, json_schema_input_type=FieldName | tuple[FieldName, ...]),
    ] = ()
    status: tuple[StatusRule, ...] = ()
    consents: tuple[ConsentRule, ...] = ()
    event: str | None = None
    _built_in: bool = PrivateAttr(default=False)

    @property
    def built_in(self) -> bool:
        """Whether it came with the program, so that a user's own layout goes first."""
        return self._built_in

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Layout:
        known = FIELDS[self.kind]
        for name in self.columns:
            if name not in known:
                raise wrong(
                    f"columns.{name} is no field of {self.kind}",
                    did_you_mean(name, known) or f"fields: {', '.join(known)}",
                )
        missing = [name for name in REQUIRED[self.kind] if name not in self.columns]
        if missing:
            raise wrong(f"columns lacks {', '.join(missing)}")
        if self.kind == "customers" and not {"customer_id", "email", "phone"} & set(self.columns):
            raise wrong(
                "columns says nothing by which a customer is known", "email, phone or customer_id"
            )
        if self.order_fields == "first row" and not {"order_id", "cart_id"} & set(self.columns):
            raise wrong(
                "order_fields: first row needs to know which rows belong together",
                "columns.order_id, or columns.cart_id of events; or order_fields: every row",
            )
        if self.kind == "events" and not self.event and "event" not in self.columns:
            raise wrong("event is missing", "the name of the event each row is, for example cart")
        unknown = [name for name in self.line_key if name not in self.columns]
        if unknown:
            raise wrong(f"line_key names {', '.join(unknown)}, which columns does not have")
        if self.status and self.status[-1].blank == "next":
            raise wrong("the last status rule must answer for blank cells", "blank: pending")
        return self

    def claims(self, header: frozenset[str]) -> bool:
        """Tell whether ``header`` (normalised names) is one of this format."""
        return any(way.claims(header) for way in self.identify)

    def names(self) -> frozenset[str]:
        """Return every source column this layout knows, normalised."""
        groups: Iterable[Iterable[str]] = (
            *(way.has for way in self.identify),
            *self.columns.values(),
            *(rule.column for rule in self.status),
            *(rule.column for rule in self.consents),
        )
        return frozenset(normalise(name) for group in groups for name in group)


def read_layout(text: str, path: str) -> Layout:
    """Read one layout.

    Raises:
        Refused: with every problem of the file.
    """
    return parse(text, path, Layout).value


@cache
def built_in() -> Mapping[str, Layout]:
    """Return the layouts that come with the program, by name."""
    layouts = {}
    for name, text in built_in_texts():
        layout = read_layout(text, name)
        layout._built_in = True  # noqa: SLF001 (our own class; nobody else may set it)
        layouts[layout.layout] = layout
    return layouts


def built_in_texts() -> list[tuple[str, str]]:
    """Return file name and text of each built-in layout, in the order of their names."""
    folder = resources.files("remindctl.stores") / "layouts"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return [(file.name, file.read_text(encoding="utf-8")) for file in files]


def built_in_text(name: str) -> str:
    """Return the file of a built-in layout as it stands.

    Raises:
        Refused: there is none of that name.
    """
    texts = {file.removesuffix(".yaml"): text for file, text in built_in_texts()}
    if name not in texts:
        raise refuse(
            f"no layout is called {name!r}", did_you_mean(name, texts) or "remindctl layouts"
        )
    return texts[name]


def read_layout_file(path: Path) -> Layout:
    """Read a user's own layout file.

    Raises:
        Refused: absent, no UTF-8, or with problems.
    """
    return read_layout(read_text(path), str(path))
