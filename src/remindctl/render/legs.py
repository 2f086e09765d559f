"""One leg's templates → each customer's message, labelled and measured, or why there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
from jinja2.utils import url_quote

from remindctl.model import Purpose
from remindctl.render.content import PLACEHOLDER, as_json, shape, variable
from remindctl.render.labels import CUSTOMER, hand_made_column, with_keys
from remindctl.render.limits import addresses, excess
from remindctl.render.manners import manners
from remindctl.render.pages import as_html
from remindctl.render.sandbox import MAX_OUTPUT, missing
from remindctl.render.values import Held, Rows

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
_BLOCK, _HTML_BLOCK = 10_000, 1_000
# What conditions leave behind between the lines.
_LOOSE = (" \n", "\t\n", "\u3000\n", "\n\n\n", "\r")
_BLANKS_AT_ENDS = re.compile(r"[ \t\u3000]+$", re.MULTILINE)
_MISSING = re.compile(missing("(.+)"))


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
        texts = {
            key: template.fill(rows, held)
            for key, template in self.templates.items()
            if key != "layout"
        }
        for key in texts.keys() - {"text", "html"}:
            texts[key] = _one_line(texts[key])
        for name in self.leg.variables:
            held.where(texts[variable(name)] == "", missing(variable(name)))
        if "text" in texts:
            texts["text"] = _tidied(texts["text"])
        else:
            texts["text"] = _approved(self.leg.text, texts, len(rows))
        self._refuse(texts, held)
        customers = self._customers(rows, held)
        if (html := self._html(texts, frame, held)) is not None:
            label = self.domestic.label
            keys = [""] * len(html) if customers is None else customers
            labelled = map(label.on_html, html, keys)
            texts["html"] = pl.Series(labelled, dtype=pl.String) if label.tail else html
        for wrong, why in addresses(self.leg, texts):
            held.where(wrong, why)
        made = self._labelled(texts, customers, rows, held)
        return self._whole(made, texts, customers, held)

    def _refuse(self, texts: Mapping[str, pl.Series], held: Held) -> None:
        """Hold what is no message at all, or has a label of its own."""
        for key in ("text", "subject"):
            if key not in texts:
                continue
            held.where(texts[key] == "", f"the {key} is empty")
            much = texts[key].str.len_chars() > MAX_OUTPUT
            held.where(much, f"the {key} grows over {MAX_OUTPUT:,} characters")
            if self.purpose is Purpose.ADVERTISING:
                for row, found in hand_made_column(texts[key]).items():
                    held.add(row, f"`{found}` is written by hand")

    def _html(
        self, texts: Mapping[str, pl.Series], frame: pl.DataFrame, held: Held
    ) -> pl.Series | None:
        """Put what is inside of a layout into it, be it HTML or text."""
        inside = texts.get("html")
        if "layout" not in self.templates:
            return inside
        if inside is None:
            inside = pl.Series(map(as_html, texts["text"]), dtype=pl.String)
        return self.templates["layout"].fill(Rows(frame, {"body": inside}), held)

    def _customers(self, rows: Rows, held: Held) -> pl.Series | None:
        """Return the customers' keys for links that ask for them."""
        if CUSTOMER not in self.domestic.label.tail:
            return None
        keys = rows.texts(("customer_key",))
        if keys is None:
            raise TypeError("customer_key is text")
        held.where(keys.is_null(), missing("customer_key"))
        quoted = (url_quote(key, for_qs=True) for key in keys.fill_null(""))
        return pl.Series(quoted, dtype=pl.String)

    def _labelled(
        self, texts: Mapping[str, pl.Series], customers: pl.Series | None, rows: Rows, held: Held
    ) -> pl.DataFrame:
        """Return subject, text, encoding, units and parts."""
        made = None
        for form, mask in self._manners(rows):
            if form.lacking and mask is not None:
                held.where(mask, form.lacking)
            finished = form.applied(texts, customers)
            lengths = form.measured(finished["text"])
            for wrong, why in excess(self.leg, {**texts, **finished}, lengths, korean=form.korean):
                held.where(wrong if mask is None else wrong & mask, why)
            subject = finished.get("subject", pl.Series([None] * len(rows), dtype=pl.String))
            part = lengths.with_columns(finished["text"].alias("text"), subject.alias("subject"))
            made = part if made is None or mask is None else _either(mask, part, made)
        return pl.DataFrame() if made is None else made

    def _manners(self, rows: Rows) -> Iterator[tuple[Manner, pl.Series | None]]:
        countries = rows.texts(("country",)) if "country" in self.names else None
        if countries is None or countries.null_count() == len(rows):
            yield self.domestic, None
        else:
            yield from manners(self.store, self.leg.channel, self.purpose, countries)

    def _whole(
        self,
        made: pl.DataFrame,
        texts: Mapping[str, pl.Series],
        customers: pl.Series | None,
        held: Held,
    ) -> pl.DataFrame:
        height, content = len(made), shape(self.leg, self.purpose)
        if "unsubscribe" in content:
            link = pl.concat_str(with_keys(self.store.optout["url"], customers))
            links = pl.select(link).to_series()
            # Without `{id}` it is the same for all.
            one = links if len(links) == height else links.new_from_index(0, height)
            texts = {**texts, "unsubscribe": one}
        nothing = pl.lit(None, dtype=pl.String)
        made = made.with_columns(
            texts.get("html", nothing).alias("html"),
            (as_json(content, texts) if content else nothing).alias("extras"),
            held.column(height).alias("problem_detail"),
        )
        good = pl.col("problem_detail").is_null()
        if made["problem_detail"].null_count() < height:
            made = made.with_columns(pl.when(good).then(name).alias(name) for name in _MADE)
        return made.with_columns(
            pl.when(~good).then(pl.lit("content")).otherwise(nothing).alias("problem")
        ).select(list(RENDERED))


def blanks(rendered: pl.DataFrame) -> dict[str, int]:
    """Count the rows that get no message because a value is missing: name of the value → rows.

    Args:
        rendered: what :meth:`CompiledLeg.render` returned. Each row counts for the value that it
            lacks first.
    """
    details = rendered.get_column("problem_detail").drop_nulls()
    counts = details.str.extract(f"^{_MISSING.pattern}$").drop_nulls().value_counts(sort=True)
    return dict(counts.sort("count", "problem_detail", descending=[True, False]).iter_rows())


def _either(mask: pl.Series, these: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame([these[name].zip_with(mask, others[name]) for name in these.columns])


def _approved(wording: str, texts: Mapping[str, pl.Series], height: int) -> pl.Series:
    """Write an approved wording with the values of its variables, and change nothing else."""
    wording, end = wording.strip("\n"), 0
    parts: list[pl.Expr] = []
    for place in PLACEHOLDER.finditer(wording):
        parts += [pl.lit(wording[end : place.start()]), pl.lit(texts[place[0]])]
        end = place.end()
    if not parts:
        return pl.Series([wording]).new_from_index(0, height)
    return pl.select(pl.concat_str(*parts, pl.lit(wording[end:]))).to_series()


def _one_line(texts: pl.Series) -> pl.Series:
    return texts.str.replace_all(r"\s+", " ").str.strip_chars()


def _tidied(texts: pl.Series) -> pl.Series:
    """Take out the blank ends and gaps that conditions leave behind."""
    loose = texts.str.contains_any(list(_LOOSE)).arg_true()
    if len(loose):
        tidy = pl.Series(map(_tidy, texts.gather(loose)), dtype=pl.String)
        texts = texts.clone().scatter(loose, tidy)
    return texts.str.strip_chars()


def _tidy(text: str) -> str:
    text = _BLANKS_AT_ENDS.sub("", text.replace("\r\n", "\n"))
    return re.sub(r"\n{3,}", "\n\n", text)
