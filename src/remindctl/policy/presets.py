"""Hours and limits of advertising for a store: the law, the platforms, then the owner's own rules.

None of this is legal advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from typing import TYPE_CHECKING

from remindctl.hours import Opening, exactly
from remindctl.model import Calendar, Cap, Channel, Purpose, Span, Window
from remindctl.policy.countries import ELSEWHERE, LAWS, Law, clocks_of, law_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.model import Campaign, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What a store keeps to wherever its customers are, before the owner's own rules.

    Attributes:
        law: of its own country, unless that has one in ``countries.LAWS``.
        notice: whether recipients must be told of what they said, and consent rests when its
            two-yearly notice is overdue.
        caps: frequency limits, where the owner states none for that channel and day.
    """

    law: Law
    notice: bool = False
    caps: tuple[Cap, ...] = ()


PRESETS: Mapping[str, Preset] = {
    # Network Act 50(7) and 50(8), Decree 62-2 and 62-3. One Brand Message a day to a person is what
    # a provider says that Kakao delivers.
    "KR": Preset(
        law=LAWS["KR"],
        notice=True,
        caps=(Cap(1, Calendar.DAY, channel=Channel.BRAND_MESSAGE),),
    ),
    "US": Preset(law=LAWS["US"]),
    # Directive 2002/58/EC leaves hours to its members.
    "EU": Preset(law=ELSEWHERE),
}

# Kakao delivers none from 20:50 to 08:00, whatever the recipient consented to, on its own clock.
_PLATFORM = {Channel.BRAND_MESSAGE: Opening(Window(time(8), time(20, 50)), ("Asia/Seoul",))}
_A_DAY = (Calendar.DAY, Span(days=1))


def openings(
    store: Store,
    channel: Channel,
    purpose: Purpose,
    *,
    night: bool,
    zone_known: bool,
    country: str | None = None,
) -> tuple[Opening, ...]:
    """Return the hours that laws, platform and owner leave to a channel; all must be open.

    Args:
        store: its preset, country, own hours and holidays.
        channel: of the message.
        purpose: informational messages keep to the platform's hours only.
        night: the recipient agreed to the night.
        zone_known: whether the recipient's own clock is known; else every clock of the country
            counts.
        country: the recipient's, ISO 3166; None = the store's.
    """
    found = [_PLATFORM[channel]] if channel in _PLATFORM else []
    if purpose is not Purpose.ADVERTISING:
        return tuple(found)
    clocks = () if zone_known else clocks_of(country or store.country)
    for law in laws(store.policy.preset, store.country, country):
        if channel in law.hours and not (law.night_consent and night):
            window, days = law.hours[channel], law.closed_weekdays
            found.append(Opening(window, clocks, closed_weekdays=days))
    if channel in store.policy.hours:
        found.append(Opening(store.policy.hours[channel], clocks))
    if store.policy.holidays:
        found.append(Opening(zones=clocks, closed_on=store.policy.holidays))
    return tuple(found)


def laws(preset: str, home: str, country: str | None) -> tuple[Law, ...]:
    """Return the laws that hold together.

    Args:
        preset: of the store.
        home: its country.
        country: the recipient's; None = the store's.
    """
    chosen = PRESETS[preset].law
    own = law_of(home) if chosen is ELSEWHERE else chosen
    there = law_of(country or home)
    return (own,) if there is own else (own, there)


def wider_than_law(
    hours: Mapping[Channel, Window], preset: str, country: str
) -> dict[Channel, Window]:
    """Find the channels whose own hours reach out of the law's or the platform's.

    Args:
        hours: the owner's.
        preset: of the store.
        country: of the store.

    Returns:
        channel → a window that its hours would have to lie within.
    """
    found = {}
    for channel, own in hours.items():
        limits = [law.hours.get(channel) for law in laws(preset, country, None)]
        if channel in _PLATFORM:
            limits.append(_PLATFORM[channel].window)
        for limit in limits:
            if limit and not limit.opens <= own.opens <= own.closes <= limit.closes:
                found[channel] = limit
    return found


def looks_back(store: Store) -> timedelta:
    """Return how far back a store's frequency caps look, at the most."""
    caps = (*store.policy.caps, *PRESETS[store.policy.preset].caps)
    return max((_length(cap.per) for cap in caps), default=timedelta())


def _length(per: Span | Calendar) -> timedelta:
    if isinstance(per, Span):
        return exactly(per)
    # A day more than the longest of its kind, for the clocks of other zones.
    return timedelta(days={Calendar.DAY: 2, Calendar.WEEK: 8, Calendar.MONTH: 32}[per])


def caps_of(store: Store, campaign: Campaign) -> list[Cap]:
    """Return the caps that a campaign's messages must keep, the preset's included."""
    own = store.policy.caps
    # What the owner says of a month takes nothing back of what holds for a day.
    stated = {cap.channel for cap in own if cap.tag is None and cap.per in _A_DAY}
    preset = (cap for cap in PRESETS[store.policy.preset].caps if cap.channel not in stated)
    return [cap for cap in (*own, *preset) if cap.tag is None or cap.tag in campaign.tags]
