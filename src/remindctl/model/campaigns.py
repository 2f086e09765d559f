"""One campaign: who it is for, when, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from remindctl.errors import Place
    from remindctl.model.messages import Channel, Purpose
    from remindctl.model.times import Span, Statistic, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When a step is due: an anchor, a wait, and a window in which it still makes sense.

    Attributes:
        after: the anchor: one of ``audience.ANCHORS``, the name of an event, or a date column.
        step: for the anchor ``message``: the earlier step whose message it is.
        per_line: for ``delivered`` and ``confirmed``: each order line is its own occasion.
        wait: from the anchor to the due instant; negative = before it.
        within: how long after the moved due instant it may still go out; None = for ever.
        at: hours of the recipient's day.
        until: ``order`` or the name of an event, which ends the occasion, or ``never``.
        night: ``defer`` moves a due instant out of closed hours, ``skip`` drops it.
        max_delay: the furthest it may be moved from the unmoved due instant.
    """

    after: str
    step: str | None = None
    per_line: bool = False
    wait: Span | Statistic
    within: Span | None = None
    at: Window | None = None
    until: str = "order"
    night: str = "defer"
    max_delay: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button under a message.

    Attributes:
        name: what stands on it; no template.
        kind: ``link`` or ``add_channel`` (채널 추가, which has no address).
        url: template of the address.
    """

    name: str
    kind: str = "link"
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KakaoCoupon:
    """The coupon under a Brand Message: templates of its title, description and address."""

    title: str
    description: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One channel of a chain with the templates of its message, and where they stand.

    Attributes:
        text: the body; of an Alimtalk the approved wording, with ``#{name}`` for its variables.
        subject: title of a long text message, an e-mail, a push or an on-site message.
        html: of an e-mail; ``layout`` is the page around it, with ``{{ body }}``.
        image: absolute path of a file.
        template: code of the approved template (Alimtalk, Brand Message).
        variables: of that template: name → template of its value.
        form: of a Brand Message: ``text``, ``image`` or ``wide``.
        targeting: of a Brand Message: I (own list and channel friends), M or N.
        coupon: of a Brand Message.
        url: where a push, an on-site message or a Brand Message's image leads.
        show_for: how long an on-site message is shown.
        places: key → where it stands; ``channel`` always does.
    """

    channel: Channel
    text: str
    subject: str | None = None
    html: str | None = None
    layout: str | None = None
    image: str | None = None
    buttons: tuple[Button, ...] = ()
    template: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    form: str = "text"
    targeting: str = "I"
    coupon: KakaoCoupon | None = None
    url: str | None = None
    show_for: Span | None = None
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One form of a step's message.

    Attributes:
        id: its name in the log; None = the step has one form only.
        weight: its share among the variants without ``when``, drawn by hash.
        when: the segment it is for; the first variant whose segment a person is in is theirs.
    """

    id: str | None = None
    weight: float = 1
    when: str | None = None
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """What must have become of an earlier step on the same occasion.

    Attributes:
        kind: ``sent``, ``not_sent``, ``control`` (held out of it) or ``ordered_since`` (it was sent
            and an order came after it).
        step: the earlier step.
    """

    kind: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """The coupon of a step: a code of its own for each person and occasion, or one for all.

    Attributes:
        pool: name of a pool of single-use codes; else ``code`` is the one for all.
        valid_for: counted from the day it is given out, but never past the code's own last day.
        valid_until: the last day of ``code``.
    """

    pool: str | None = None
    code: str | None = None
    valid_for: Span | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One message of a campaign: when, in which forms, and within which time.

    Attributes:
        condition: what must have become of an earlier step.
        facts: name of a fact that the texts state (stock, …) → how old it may be.
        fallback_within: how long after a leg the next one may follow.
        places: key → where it stands; ``id`` always does.
    """

    id: str
    due: Due
    variants: tuple[Variant, ...]
    condition: Condition | None = None
    coupon: Coupon | None = None
    facts: Mapping[str, Span] = field(default_factory=dict)
    fallback_within: Span | None = None
    places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def legs(self) -> tuple[Leg, ...]:
        """The legs of every variant."""
        return tuple(leg for variant in self.variants for leg in variant.legs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who a campaign is for: any of ``segments`` and ``where``, without ``exclude``."""

    segments: tuple[str, ...] = ()
    where: str | None = None
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Basis:
    """The ground a campaign stands on besides consent, in the owner's words.

    Attributes:
        text: of an informational campaign why the customer gets it; of an advertising one that it
            is for the same kind of goods as the customer bought.
        ground: ``purchase`` or ``customer_action``, where points or a coupon are told of.
        reason: the line of the message that tells the customer so.
    """

    text: str
    ground: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One campaign file, checked: what it is for, who, and its steps.

    Attributes:
        name: the name in the log; another name is another history.
        data_age: how far the orders may end before an occasion that an order would end; without it
            they must reach its due instant.
        reentry: the pause before the same person may start this campaign again.
        place: where the file's first key stands, for problems found later.
        places: where ``stores`` and ``audience`` stand, if they do.
    """

    name: str
    purpose: Purpose
    steps: tuple[Step, ...]
    basis: Basis | None = None
    stores: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    priority: int = 50
    counts_for_caps: bool = True
    audience: Audience = Audience()
    control: float = 0.0
    reentry: Span | None = None
    data_age: Span | None = None
    place: Place | None = None
    places: Mapping[str, Place] = field(default_factory=dict)
