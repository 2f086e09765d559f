"""How the messages of a leg are made for the people of one country: labels, title and measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from remindctl.errors import Refused
from remindctl.model import FAMILY, Channel, Family
from remindctl.render import lengths
from remindctl.render.labels import Label, is_korean, label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remindctl.model import Purpose, Store
    from remindctl.render.values import Column


@dataclass(frozen=True, slots=True)
class Manner:
    """How messages to one country are made.

    Attributes:
        label: what goes around them.
        korean: they are text messages over Korean networks.
        lacking: why there can be none.
    """

    channel: Channel
    label: Label
    korean: bool
    lacking: str = ""

    def applied(self, text: Column, subject: Column | None, customers: pl.Series) -> pl.DataFrame:
        """Label and measure messages.

        Args:
            text: of each.
            subject: of each, where the leg has one.
            customers: their keys in the form that links want.

        Returns:
            text, units, encoding and parts; subject, where there is one; over Korean networks
            strange, subject_units and subject_strange.
        """
        columns = {"text": text.texts, "customer": customers}
        labelled = pl.DataFrame(columns).select(self.label.on_texts("text", "customer"))
        made = labelled.hstack(self._measured(labelled.to_series(), text.unusual))
        # Korean long messages have a title; nobody else's text messages do.
        if subject is None or (FAMILY[self.channel] is Family.TEXT and not self.korean):
            return made
        subjects = (self.label.subject + subject.texts).alias("subject")
        if not self.korean:
            return made.with_columns(subjects)
        measured = lengths.korean_column(subjects, subject.unusual)
        return made.with_columns(
            subjects,
            measured["units"].alias("subject_units"),
            measured["strange"].alias("subject_strange"),
        )

    def _measured(self, texts: pl.Series, unusual: pl.Series | None) -> pl.DataFrame:
        if self.korean:
            if not self.label.is_usual:
                unusual = pl.Series([True]).new_from_index(0, len(texts))
            return lengths.korean_column(texts, unusual)
        if FAMILY[self.channel] is Family.TEXT:
            return lengths.international_column(texts)
        if FAMILY[self.channel] is Family.KAKAO:
            return lengths.characters_column(texts)
        return lengths.unlimited_column(texts)


def manner(store: Store, channel: Channel, purpose: Purpose, country: str | None = None) -> Manner:
    """Return how messages to a country are made; None = to the store's own.

    Raises:
        Refused: the configuration lacks what the law asks for.
    """
    at_home = country in (None, store.country)
    korean = FAMILY[channel] is Family.TEXT and is_korean(store) and (at_home or country == "KR")
    return Manner(channel, label(store, channel, purpose, country), korean)


def manners(
    store: Store, channel: Channel, purpose: Purpose, countries: pl.Series
) -> Iterator[tuple[Manner, pl.Series]]:
    """Yield the manners for the countries of text messages' recipients, each with its rows.

    One for which the configuration lacks what the law asks for is told with :attr:`Manner.lacking`.
    """
    countries = countries.fill_null(store.country)
    for country in countries.unique().sort():
        try:
            found = manner(store, channel, purpose, country)
        except Refused as refused:
            why = "; ".join(problem.what for problem in refused.problems)
            found = Manner(channel, Label(), korean=False, lacking=why)
        yield found, countries == country
