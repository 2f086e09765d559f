"""How the messages of a leg are made for the people of one country: labels, title and measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from remindctl.errors import Refused
from remindctl.model import FAMILY, Channel, Family
from remindctl.render import lengths
from remindctl.render.labels import Label, is_korean, label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

    from remindctl.model import Purpose, Store


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

    def applied(
        self, texts: Mapping[str, pl.Series], customers: pl.Series | None
    ) -> dict[str, pl.Series]:
        """Label texts and subjects; the customers' keys are for links."""
        text = self.label.on_texts(texts["text"], customers)
        subject = texts.get("subject")
        # Korean long messages have a title; nobody else's text messages do.
        if subject is None or (FAMILY[self.channel] is Family.TEXT and not self.korean):
            return {"text": text}
        return {"text": text, "subject": self.label.subject + subject}

    def measured(self, texts: pl.Series) -> pl.DataFrame:
        """Measure labelled texts in what the channel counts."""
        if self.korean:
            return lengths.korean_column(texts)
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
