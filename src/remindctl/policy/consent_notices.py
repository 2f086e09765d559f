"""What a store owes the people whose consents it keeps, and whether the words it used will do.

Korea, Network Act 50(7), Decree 62-2: whoever consents, refuses or withdraws is told within 14 days
what came of it. Act 50(8), Decree 62-3: whoever consented is told so every two years, before the
same date. A notice that went out is the ledger's ``notice_sent_at``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from remindctl.errors import Place, Problem
from remindctl.frames import INSTANT, PERSON, Addresses
from remindctl.hours import exactly, on_the_wall
from remindctl.model import Channel, Family, Purpose
from remindctl.policy.consent import (
    ANSWER_WITHIN,
    EVERYTHING,
    FAMILIES,
    NOTICE_EVERY,
    permissions,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from remindctl.frames import Consents, Suppressions
    from remindctl.model import Campaign, Span, Store

NOTICES: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "person": PERSON,
    "kind": pl.String,
    "value": pl.String,
    "family": pl.String,
    "notice": pl.String,
    "said": pl.String,
    "said_on": pl.Date,
    "due_on": pl.Date,
    "overdue": pl.Boolean,
}
EVERY_FAMILY = "every"

# The kind of address that a family's messages go to, and so do its notices.
_KIND_OF: Mapping[str, str] = {
    Family.TEXT: "phone",
    Family.KAKAO: "phone",
    Family.EMAIL: "email",
    Family.PUSH: "push_token",
}

# Mailbox providers want an opt-out honoured within two days; half of that is left for the rest.
FEED_AGE = timedelta(hours=24)

_ADVERTISING = r"(?i)광고|홍보|마케팅|판촉|advertis|marketing|promotion|commercial|werb|publicit"
# A label such as v3 or 2026-03 stands for a wording and is none.
_A_WORDING = r"\pL{3}|[가-힣]{2}"


def everyone(addresses: Addresses, consents: Consents) -> Addresses:
    """Add to the known addresses those that only the consents name, each as a person of its own."""
    last = addresses["person"].max()
    strangers = (
        consents.select("kind", "value")
        .unique()
        .join(addresses, on=["kind", "value"], how="anti")
        .sort("kind", "value")
        .with_row_index("person", offset=last + 1 if isinstance(last, int) else 0)
        .with_columns(pl.col("person").cast(PERSON), pl.lit(value=False).alias("in_order"))
    )
    return Addresses(pl.concat([addresses, strangers.select(addresses.columns)]))


def notices(
    consents: Consents,
    addresses: Addresses,
    suppressions: Suppressions,
    *,
    explicit_sources: Collection[str],
    as_of: datetime,
    within: Span,
    zone: str,
) -> pl.DataFrame:
    """List who is to be told of what they said, and until when.

    Args:
        consents: as the shop recorded them; what is undated has no due date and is left out.
        addresses: as :func:`everyone` gives them.
        suppressions: standing opt-outs of these people; those of the scope ``all`` are dead
            addresses, to which nothing is owed.
        explicit_sources: as for ``permissions``.
        as_of: today is its date in ``zone``.
        within: how far ahead to look; what is overdue is always listed.
        zone: the store's time zone, whose dates count.

    Returns:
        the columns of ``NOTICES``, the longest due first: ``notice`` is result (of what was
        ``said``: consent or refusal, on ``said_on``) or renewal (of a consent), ``due_on`` the last
        day for it. ``family`` is ``every`` where a refusal names none.
    """
    given = permissions(
        consents, addresses, suppressions, explicit_sources=explicit_sources, as_of=as_of
    )
    standing = given.refusals.filter(
        pl.col("purpose").is_in([str(Purpose.ADVERTISING), EVERYTHING])
    )
    renewals = given.grants.filter(_grants()).join(standing, on=["person", "family"], how="anti")
    renewals = renewals.select(
        "person",
        "kind",
        "value",
        "family",
        pl.lit("renewal").alias("notice"),
        pl.lit("consent").alias("said"),
        _day("noticed_at", zone).alias("said_on"),
    )
    results = _results(_statements(consents, addresses, suppressions, as_of)).select(
        "person", "kind", "value", "family", "notice", "said", _day("at", zone).alias("said_on")
    )
    two_years = pl.col("said_on").dt.offset_by(NOTICE_EVERY) - pl.duration(days=1)
    today = on_the_wall(pl.lit(as_of, dtype=INSTANT), zone).dt.date()
    found = pl.concat([renewals, results]).cast({"kind": pl.String})
    return (
        _to_write_to(found.filter(pl.col("said_on").is_not_null()))
        .with_columns(
            pl.when(pl.col("notice") == "renewal")
            .then(two_years)
            .otherwise(pl.col("said_on") + ANSWER_WITHIN)
            .alias("due_on")
        )
        .filter(pl.col("due_on") <= today + exactly(within))
        .with_columns((pl.col("due_on") < today).alias("overdue"))
        .select(NOTICES.keys())
        .sort("due_on", "kind", "value", "family", "notice")
    )


def undated(consents: Consents) -> int:
    """Count the consents to advertising without a date, for which nothing can be said."""
    return consents.filter(
        "granted", pl.col("at").is_null(), pl.col("purpose") == Purpose.ADVERTISING
    ).height


def vague_wordings(consents: Consents) -> pl.DataFrame:
    """List the wordings of consents that do not name advertising: wording, addresses.

    The guide of the Korean regulator (KISA, seventh edition) accepts no "benefit notice".
    """
    return (
        consents.filter(
            "granted",
            pl.col("purpose") == Purpose.ADVERTISING,
            pl.col("wording").str.contains(_A_WORDING),
            ~pl.col("wording").str.contains(_ADVERTISING),
        )
        .group_by("wording")
        .agg(pl.struct("kind", "value").n_unique().alias("addresses"))
        .sort("addresses", "wording", descending=[True, False])
    )


def stale_feed(
    store: Store, campaigns: Iterable[Campaign], last_list: datetime | None, as_of: datetime
) -> Problem | None:
    """Warn where the store advertises by e-mail and no list of opt-outs has come in for a day.

    Args:
        store: whose opt-outs they are.
        campaigns: of that store.
        last_list: when a list last came in; None = never.
        as_of: now.
    """
    by_mail = any(
        leg.channel is Channel.EMAIL
        for campaign in campaigns
        if campaign.purpose is Purpose.ADVERTISING
        for step in campaign.steps
        for leg in step.legs
    )
    if not by_mail or (last_list is not None and as_of - last_list <= FEED_AGE):
        return None
    since = "was ever imported" if last_list is None else "was imported for 24 hours"
    what = f"e-mail is advertised by, and no list of opt-outs {since}"
    hint = "import unsubscribes, bounces and complaints each day: remindctl optout import FILE"
    return Problem(Place(f"store {store.key}"), what, hint, warning=True)


def _statements(
    consents: Consents, addresses: Addresses, suppressions: Suppressions, as_of: datetime
) -> pl.DataFrame:
    """Return every dated word on advertising by an address that its family uses."""
    columns = ["person", "kind", "value", "family", "granted", "at", "notice_sent_at"]
    told = (
        consents.filter(pl.col("purpose").fill_null(Purpose.ADVERTISING) == Purpose.ADVERTISING)
        .join(addresses, on=["kind", "value"], how="inner")
        .with_columns(
            pl.col("channel").replace_strict(FAMILIES, default=EVERY_FAMILY).alias("family")
        )
        .filter(~pl.col("granted") | _grants())
        .select(columns)
    )
    withdrawn = suppressions.filter(pl.col("scope") == Purpose.ADVERTISING).select(
        "person",
        "kind",
        "value",
        "family",
        pl.lit(value=False).alias("granted"),
        "at",
        pl.lit(None, dtype=INSTANT).alias("notice_sent_at"),
    )
    return pl.concat([told, withdrawn.select(columns)]).filter(
        pl.col("at").is_not_null(), pl.col("at") <= as_of
    )


def _results(statements: pl.DataFrame) -> pl.DataFrame:
    """Return the statements that no notice to their address has followed."""
    about = ["kind", "value", "family"]
    noticed = statements.group_by(about).agg(pl.col("notice_sent_at").max().alias("noticed"))
    open_ = statements.join(noticed, on=about, how="left").filter(
        (pl.col("noticed") < pl.col("at")).fill_null(value=True)
    )
    said = pl.when("granted").then(pl.lit("consent")).otherwise(pl.lit("refusal"))
    return open_.with_columns(pl.lit("result").alias("notice"), said.alias("said"))


def _to_write_to(found: pl.DataFrame) -> pl.DataFrame:
    """Keep of each word the addresses of its own family, or else one that it was said with.

    One statement may stand under a phone number, an e-mail address and the customer's id.
    """
    word = ["person", "family", "notice", "said", "said_on"]
    own = _is_of_family()
    first = pl.int_range(pl.len()).over(word) == 0
    return (
        found.sort("kind", "value")
        .unique([*word, "kind", "value"], keep="first", maintain_order=True)
        .filter(pl.when(own.any().over(word)).then(own).otherwise(first))
    )


def _is_of_family() -> pl.Expr:
    used = pl.col("family").replace_strict(_KIND_OF, default=None, return_dtype=pl.String)
    return (pl.col("kind").cast(pl.String) == used).fill_null(value=False)


def _grants() -> pl.Expr:
    """Say whether a yes of this address allows anything: its own family, or the account's."""
    return _is_of_family() | (
        (pl.col("kind").cast(pl.String) == "shop_id") & (pl.col("family") != EVERY_FAMILY)
    )


def _day(instant: str, zone: str) -> pl.Expr:
    return on_the_wall(pl.col(instant), zone).dt.date()
