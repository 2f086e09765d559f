"""Hours and limits of advertising by country: the law, the platforms, then the owner's own rules.

As of 2026, the stricter side where sources differ; none of this is legal advice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from typing import TYPE_CHECKING

from remindctl.hours import Opening
from remindctl.model import Cap, Channel, Purpose, Span, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remindctl.model import Store

_TEXTS = (Channel.SMS, Channel.LMS, Channel.MMS)
_EIGHT_TO_NINE = Window(time(8), time(21))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What the law and the platforms of a country ask of advertising, before the owner's own rules.

    Attributes:
        hours: when advertising may go out, on the recipient's clock.
        night_consent: whether a consent to the night opens the rest of ``hours``.
        platform: hours that no consent widens and that hold for every purpose.
        zones: the clocks that all must agree where the recipient's own zone is not known.
        notice: whether consent rests when its two-yearly notice is overdue.
        caps: frequency limits where the owner states none for the channel.
    """

    hours: Mapping[Channel, Window]
    night_consent: bool = False
    platform: Mapping[Channel, Window] = field(default_factory=dict)
    zones: tuple[str, ...] = ()
    notice: bool = False
    caps: tuple[Cap, ...] = ()


PRESETS: Mapping[str, Preset] = {
    # Network Act 50(1), 50(3), 50(8), Decree 61(2), 62-3; e-mail is the one medium without a night.
    # Kakao delivers no Brand Message from 20:50 to 08:00, and one a day to a person.
    "KR": Preset(
        hours=dict.fromkeys((*_TEXTS, Channel.PUSH), _EIGHT_TO_NINE),
        night_consent=True,
        platform={Channel.BRAND_MESSAGE: Window(time(8), time(20, 50))},
        notice=True,
        caps=(Cap(1, Span(days=1), channel=Channel.BRAND_MESSAGE),),
    ),
    # 47 CFR 64.1200(c)(1) says 8 to 21 of the called party; several states are narrower.
    "US": Preset(
        hours=dict.fromkeys(_TEXTS, Window(time(9), time(20))),
        zones=(
            "America/New_York",
            "America/Chicago",
            "America/Denver",
            "America/Phoenix",
            "America/Los_Angeles",
            "America/Anchorage",
            "Pacific/Honolulu",
        ),
    ),
    # Directive 2002/58/EC leaves hours to its members; these are the ones in use among senders.
    "EU": Preset(hours=dict.fromkeys(_TEXTS, _EIGHT_TO_NINE)),
}

# France: texts from 8 to 22, and none on Sundays.
_FRANCE = Window(time(8), time(22))
_SUNDAY = frozenset({7})


def openings(
    store: Store, channel: Channel, purpose: Purpose, *, night: bool, zone_known: bool
) -> tuple[Opening, ...]:
    """Return the hours that law, platform and owner leave to a channel.

    Args:
        store: its preset, country, own hours and holidays.
        channel: of the message.
        purpose: informational messages keep to the platform's hours only.
        night: the recipient agreed to the night.
        zone_known: whether the recipient's own clock is known.
    """
    preset, policy = PRESETS[store.policy.preset], store.policy
    clocks = () if zone_known else preset.zones
    found = []
    if channel in preset.platform:
        found.append(Opening(preset.platform[channel], clocks))
    if purpose is not Purpose.ADVERTISING:
        return tuple(found)
    if channel in preset.hours and not (preset.night_consent and night):
        french = store.policy.preset == "EU" and store.country == "FR"
        window = _FRANCE if french else preset.hours[channel]
        weekdays = _SUNDAY if french else frozenset()
        found.append(Opening(window, clocks, closed_weekdays=weekdays))
    if channel in policy.hours:
        found.append(Opening(policy.hours[channel], clocks))
    if policy.holidays:
        found.append(Opening(closed_on=policy.holidays))
    return tuple(found)
