"""The campaign library that the program brings along, and what a shop gets of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from remindctl.errors import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.model import Campaign, Span

# The example store that a file is for → the country in whose language and law it is written.
_WRITTEN_FOR: Mapping[str, str] = {"green": "KR", "shopify": "US"}
# To be run by hand on a day, with words about that day.
_ON_A_DAY = ("discount-day.yaml", "event-popup.yaml", "new-product.yaml")
# Says the same as another file to the same people: only one of the two may run.
_INSTEAD_OF: Mapping[str, str] = {
    "review-for-points.yaml": "review-request.yaml",
    "winback.yaml": "winback-us.yaml",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """One campaign file of the library.

    Attributes:
        file: its name.
        stores: those that it names.
        pools: the coupon pools it gives from.
        soon: whether it makes sense for less than a day, so that a daily run would miss people.
        assets: path beside the file → the pictures and pages that it names.
    """

    file: str
    text: str
    stores: tuple[str, ...]
    pools: tuple[str, ...]
    soon: bool
    assets: Mapping[str, bytes]

    @property
    def title(self) -> str:
        """What it is, in the words of its head."""
        paragraph = re.search(r"^#\n((?:# .+\n)+)", self.text, re.MULTILINE)
        lines = paragraph[1].splitlines() if paragraph else []
        return " ".join(line.removeprefix("# ") for line in lines)


@dataclass(frozen=True, slots=True)
class Library:
    """What a shop gets.

    Attributes:
        active: for every day.
        later: to be looked at first, each with the reason.
    """

    active: tuple[Piece, ...]
    later: Mapping[str, str]
    pieces: Mapping[str, Piece]


def library_folder() -> Path:
    """Return where the library lies: in an installed package within it, else in the repository."""
    packed = Path(__file__).parent / "campaigns"
    return packed if packed.is_dir() else Path(__file__).parents[3] / "campaigns"


def read_library(folder: Path, campaigns: Sequence[Campaign], country: str) -> Library:
    """Choose the files of the library that are written for a country, or for any.

    Args:
        folder: the library's.
        campaigns: the campaigns of that folder.
        country: two letters (ISO 3166).

    Raises:
        Refused: the installation lacks the library.
    """
    others = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in (".yaml", ".md", ".json")
    }
    pieces = {}
    for campaign in campaigns:
        if country not in (_WRITTEN_FOR.get(store, country) for store in campaign.stores or ("",)):
            continue
        path = Path(campaign.place.path if campaign.place else "")
        text = path.read_text(encoding="utf-8")
        pieces[path.name] = Piece(
            path.name,
            text,
            campaign.stores,
            tuple(step.coupon.pool for step in campaign.steps if step.coupon and step.coupon.pool),
            soon=any(_less_than_a_day(step.due.within) for step in campaign.steps),
            assets={name: others[name].read_bytes() for name in others if name in text},
        )
    if not pieces:
        raise refuse("the campaign library is missing", "install remindctl anew", path=str(folder))
    later = {
        name: "for one day: change its words first" for name in _ON_A_DAY if name in pieces
    } | {
        name: f"instead of {other}, never both"
        for name, other in _INSTEAD_OF.items()
        if name in pieces and other in pieces
    }
    active = tuple(piece for name, piece in pieces.items() if name not in later)
    return Library(active, later, pieces)


def _less_than_a_day(within: Span | None) -> bool:
    return within is not None and within.days < 1
