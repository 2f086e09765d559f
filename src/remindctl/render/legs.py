"""One leg's templates → each customer's message, labelled and measured, or why there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
from jinja2.utils import url_quote

from remindctl.frames import conform
from remindctl.model import Purpose
from remindctl.render.columns import repeated
from remindctl.render.content import PLACEHOLDER, as_json, shape, variable
from remindctl.render.held import Held
from remindctl.render.labels import CUSTOMER, hand_made_column, with_keys
from remindctl.render.limits import addresses, excess
from remindctl.render.manners import manners
from remindctl.render.pages import as_html
from remindctl.render.sandbox import MAX_OUTPUT, missing
from remindctl.render.values import Column, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remindctl.model import Leg, Store
    from remindctl.render.columns import ColumnTemplate
    from remindctl.render.manners import Manner

RENDERED: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "subject": pl.String,
    "text": pl.String,
    "html": pl.String,
    "extras": pl.String,  # JSON
    "parts": pl.UInt32,
    "encoding": pl.String,
    "units": pl.UInt32,
    "problem": pl.String,
    "problem_detail": pl.String,
}
_MADE = tuple(RENDERED)[:-2]
_LABELLED = {name: RENDERED[name] for name in ("subject", "text", "parts", "encoding", "units")}
_BLOCK, _HTML_BLOCK = 30_000, 1_000
# What conditions leave behind between the lines.
_LOOSE = (" \n", "\t\n", "\u3000\n", "\n\n\n", "\r")
_BLANKS_AT_ENDS = re.compile(r"[ \t\u3000]+$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledLeg:
    """A leg ready to be filled; made by ``compile_leg``.

    Attributes:
        templates: by their keys: text, subject, html, layout and those of ``content.templates``.
        domestic: how messages to the store's own country are made.
        names: the columns that :meth:`render` wants, as far as there are any.
    """

    leg: Leg
    store: Store
    purpose: Purpose
    templates: Mapping[str, ColumnTemplate]
    domestic: Manner
    names: frozenset[str]

    def render(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Make the message of every row.

        Args:
            frame: the columns of :attr:`names`: those of Profiles, ``country`` (the recipient's,
                ISO 3166; null = the store's own) and the structs ``anchor``, ``coupon`` and
                ``facts``. A null, or a column that is not there, is a value the customer does not
                have.

        Returns:
            one row for each, in order, with the columns of :data:`RENDERED`: subject, text and html
            with what the law asks for, extras (JSON of what else the channel carries, null =
            nothing), and encoding, units and parts of the text. Or else problem (``content``) and
            problem_detail; see :func:`blanks` for missing values.
        """
        size = _HTML_BLOCK if self.templates.keys() & {"html", "layout"} else _BLOCK
        blocks = [self._block(frame[start : start + size]) for start in range(0, len(frame), size)]
        return pl.concat(blocks) if blocks else pl.DataFrame(schema=dict(RENDERED))

    def _block(self, frame: pl.DataFrame) -> pl.DataFrame:
        rows, held = Rows(frame), Held()
        filled = {
            key: template.fill(rows, held)
            for key, template in self.templates.items()
            if key != "layout"
        }
        written = self._written(filled, rows, held)
        made = self._labelled(filled, written, rows, held)
        content = shape(self.leg, self.purpose)
        nothing = pl.lit(None, dtype=pl.String)
        made = made.with_columns(
            as_json(content).alias("extras") if content else nothing.alias("extras"),
            *(nothing.alias(name) for name in ("subject", "html") if name not in made.columns),
            held.column(len(frame)).alias("problem_detail"),
        )
        good = pl.col("problem_detail").is_null()
        kept = pl.col(_MADE)
        if made["problem_detail"].null_count() < len(made):
            kept = pl.when(good).then(kept)
        reason = pl.when(~good).then(pl.lit("content")).otherwise(nothing)
        return made.select(kept, reason.alias("problem"), "problem_detail")

    def _written(self, filled: dict[str, Column], rows: Rows, held: Held) -> pl.DataFrame:
        """Return what is written, before anything is added, by the keys of the templates."""
        columns = {key: column.texts for key, column in filled.items()}
        written = pl.DataFrame({"customer": self._customers(rows, held), **columns}).with_columns(
            _one_line(key) for key in columns if key not in ("text", "html")
        )
        variables = [variable(name) for name in self.leg.variables]
        held.where(written, ((pl.col(key) == "", missing(key)) for key in variables))
        if "text" in columns:
            written = _tidied(written)
        else:
            written = written.with_columns(_approved(self.leg.text).alias("text"))
            filled["text"] = Column(written["text"])
        for key in ("text", "subject"):
            if key not in written.columns:
                continue
            text = pl.col(key)
            over = text.str.len_chars() > MAX_OUTPUT
            empty, much = f"the {key} is empty", f"the {key} grows over {MAX_OUTPUT:,} characters"
            held.where(written, [(text == "", empty), (over, much)])
            if self.purpose is Purpose.ADVERTISING:
                for row, found in hand_made_column(written[key]).items():
                    held.add(row, f"`{found}` is written by hand")
        held.where(written, addresses(self.leg, written.columns))
        return written

    def _customers(self, rows: Rows, held: Held) -> pl.Series:
        """Return the customers' keys as links want them, where links ask for them."""
        if CUSTOMER not in self.domestic.label.tail:
            return repeated("", len(rows))
        keys = rows.values(("customer_key",))
        for row, key in enumerate(keys):
            if key is None:
                held.add(row, missing("customer_key"))
        return pl.Series([url_quote(key or "", for_qs=True) for key in keys], dtype=pl.String)

    def _labelled(
        self, filled: Mapping[str, Column], written: pl.DataFrame, rows: Rows, held: Held
    ) -> pl.DataFrame:
        """Return ``written`` with what the law asks for, and with its lengths."""
        html = self._html(written, rows, held)
        if html is not None:
            written = written.with_columns(html.alias("html"))
        if "unsubscribe" in shape(self.leg, self.purpose):
            link = pl.concat_str(with_keys(self.store.optout["url"], "customer"))
            written = written.with_columns(link.alias("unsubscribe"))
        text = Column(written["text"], filled["text"].unusual)
        subject = None
        if "subject" in filled:
            subject = Column(written["subject"], filled["subject"].unusual)
        rest = written.drop("text", "subject", strict=False)
        made: pl.DataFrame | None = None
        for form, mask in self._manners(rows):
            part = form.applied(text, subject, written["customer"])
            whole = rest.hstack(part)
            these = pl.lit(value=True) if mask is None else pl.lit(mask)
            findings = list(excess(self.leg, whole.columns, korean=form.korean))
            if form.lacking:
                findings = [(these, form.lacking)]
            held.where(whole, ((found & these, why) for found, why in findings))
            part = conform(part, _LABELLED)
            made = part if made is None or mask is None else _either(mask, part, made)
        return rest if made is None else rest.hstack(made)

    def _html(self, written: pl.DataFrame, rows: Rows, held: Held) -> pl.Series | None:
        """Put what is inside of a layout into it, be it HTML or text, and add the label."""
        inside = written["html"] if "html" in written.columns else None
        if "layout" in self.templates:
            if inside is None:
                inside = pl.Series(map(as_html, written["text"]), dtype=pl.String)
            inside = self.templates["layout"].fill(rows.around(inside), held).texts
        if inside is None or not self.domestic.label.tail:
            return inside
        labelled = map(self.domestic.label.on_html, inside, written["customer"])
        return pl.Series(labelled, dtype=pl.String)

    def _manners(self, rows: Rows) -> Iterator[tuple[Manner, pl.Series | None]]:
        countries = rows.texts(("country",)) if "country" in self.names else None
        if countries is None or not (countries.texts != self.store.country).any():
            yield self.domestic, None
        else:
            yield from manners(self.store, self.leg.channel, self.purpose, countries.texts)


def blanks(rendered: pl.DataFrame) -> dict[str, int]:
    """Count the rows that get no message because a value is missing: name of the value → rows.

    Args:
        rendered: what :meth:`CompiledLeg.render` returned. Each row counts for the value that it
            lacks first.
    """
    details = rendered.get_column("problem_detail").drop_nulls()
    names = details.str.extract(f"^{missing('(.+)')}$").drop_nulls()
    counts = names.value_counts(name="rows").sort("rows", names.name, descending=[True, False])
    return dict(counts.iter_rows())


def _either(mask: pl.Series, these: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame([these[name].zip_with(mask, others[name]) for name in these.columns])


def _approved(wording: str) -> pl.Expr:
    """Write an approved wording with the values of its variables, and change nothing else."""
    wording, end = wording.strip("\n"), 0
    parts: list[pl.Expr] = []
    for place in PLACEHOLDER.finditer(wording):
        parts += [pl.lit(wording[end : place.start()]), pl.col(place[0])]
        end = place.end()
    return pl.concat_str([*parts, pl.lit(wording[end:])])


def _one_line(key: str) -> pl.Expr:
    return pl.col(key).str.replace_all(r"\s+", " ").str.strip_chars()


def _tidied(written: pl.DataFrame) -> pl.DataFrame:
    """Take out the blank ends and gaps that conditions leave behind in the text."""
    text = pl.col("text")
    ends = {blank: text.str.contains(blank, literal=True) for blank in _LOOSE}
    found = written.select(text.str.strip_chars(), **ends)
    texts, loose = found["text"], found.select(pl.any_horizontal(list(ends))).to_series()
    if loose.any():
        rows = loose.arg_true()
        tidy = pl.Series(map(_tidy, texts.gather(rows)), dtype=pl.String)
        texts = texts.scatter(rows, tidy)
    return written.with_columns(texts)


def _tidy(text: str) -> str:
    text = _BLANKS_AT_ENDS.sub("", text.replace("\r\n", "\n"))
    return re.sub(r"\n{3,}", "\n\n", text)
