"""What may stand in ``remindctl.yaml``: its keys, their defaults, and what each value must be."""

# No `from __future__ import annotations` here: pydantic reads these annotations as they run.
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from remindctl.config.values import (
    CountryCode,
    CurrencyCode,
    DomainText,
    EmailText,
    LogAddress,
    OptoutLink,
    OwnSegmentName,
    PeriodField,
    PhoneText,
    PlainText,
    ProviderType,
    SafeWebText,
    SecretText,
    SendingPhoneText,
    SettingText,
    WebText,
    ZoneName,
)
from remindctl.documents import (
    Finding,
    NameField,
    OneOrMore,
    PercentField,
    PositiveSpanField,
    Strict,
    VersionField,
    WindowField,
    all_wrong,
    did_you_mean,
)
from remindctl.model import Channel, Span
from remindctl.policy import wider_than_law

# Need no account and no settings, so they need no entry either.
BUILT_IN_PROVIDERS = ("outbox", "console", "feed")
# Which of them send a text by themselves where a message of this channel does not arrive.
FALLS_BACK: Mapping[str, frozenset[Channel]] = dict.fromkeys(
    ("solapi", "nhn", "aligo"), frozenset({Channel.ALIMTALK})
)
# Keys of every provider; the rest are its own settings.
_COMMON = {
    "type", "base_url", "timeout", "rate", "concurrency", "lookup_grace", "certificate",
    "sender_registered", "signing_domain",
}  # fmt: skip


def default_preset(country: str) -> str:
    """Return the policy preset of a country that states none.

    Korea and the United States have their own. Everyone else gets EU, the members and whoever has
    no preset here: consent before every advertisement and a way out in each, without the texts that
    only Korean and US law ask for.
    """
    return country if country in ("KR", "US") else "EU"


class SenderEntry(Strict):
    """Who sends: what the law wants every advertisement to say.

    Attributes:
        phone: the number that text messages come from, registered for sending.
        email: the address that e-mails come from.
        contact: the number by which customers reach you.
        address: your postal address.
    """

    phone: SendingPhoneText | None = None
    email: EmailText | None = None
    contact: PhoneText | None = None
    address: PlainText | None = None


class OptoutEntry(Strict):
    """How customers refuse further advertising, free of charge.

    Attributes:
        phone: your 080 number.
        url: your page; {id} in it becomes a code that stands for the customer.
    """

    phone: PhoneText | None = None
    url: OptoutLink | None = None


class SourcesEntry(Strict):
    """The files of a store: one pattern (*, **) or several each, relative to this file.

    Attributes:
        orders: exports of orders.
        customers: exports of customers.
        consents: who agreed to what: phone, email, customer_id, channel, purpose, granted, at, …
        events: what visitors did: event, occurred_at, event_id, cart_id, product_id, …
        coupons: pools of single-use codes: pool, code, valid_until.
        password: of encrypted workbooks, as ${NAME} of an environment variable.
        layout: auto, the name of a built-in layout, or a layout file of your own.
    """

    orders: Annotated[OneOrMore, Field(min_length=1)]
    customers: OneOrMore = ()
    consents: OneOrMore = ()
    events: OneOrMore = ()
    coupons: OneOrMore = ()
    password: SecretText | None = None
    layout: PlainText = "auto"


class CapEntry(Strict):
    """At most so many messages to one person in a time.

    Attributes:
        max: how many.
        per: a rolling time such as 7d, or the day, week or month of the customer's calendar.
        channel: only messages on this one count.
        tag: only messages of campaigns with this tag count.
    """

    max: Annotated[int, Field(ge=1)]
    per: PeriodField
    channel: Channel | None = None
    tag: NameField | None = None


class CeilingEntry(Strict):
    """A run above either number is refused whole.

    Attributes:
        recipients: people of one run.
        cost: of one run, in the store's currency.
    """

    recipients: Annotated[int, Field(ge=1)] | None = None
    cost: Annotated[Decimal, Field(ge=0)] | None = None


class PolicyEntry(Strict):
    """What a store allows itself, on top of the preset of its country.

    Attributes:
        preset: KR, US or EU; that of the country by default.
        existing_customers: whether recent customers may be told of the same kind of goods without
            having agreed to it: never, or 6_months.
        hours: channel and hours, narrower than the law: {sms: "09:00-18:00"}.
        holidays: dates without advertising.
        caps: limits of how often one person is messaged.
        holdout: share of customers that never get any message, for comparison.
        ceiling: a run above it is refused.
        attribution: how long after a message an order counts as its result.
    """

    preset: Literal["KR", "US", "EU"] | None = None
    existing_customers: Literal["never", "6_months"] = "never"
    hours: Mapping[Channel, WindowField] = Field(default={})
    holidays: tuple[date, ...] = ()
    caps: tuple[CapEntry, ...] = ()
    holdout: PercentField = 0.0
    ceiling: CeilingEntry = CeilingEntry()
    attribution: PositiveSpanField = Span(days=7)


class StoreEntry(Strict):
    """One store.

    Attributes:
        name: what customers read.
        timezone: of its clock, such as Asia/Seoul.
        country: two letters (ISO 3166).
        currency: three letters (ISO 4217).
        url: of the shop.
        sender: who sends.
        optout: how customers refuse.
        sources: the files you download.
        optouts: the store's own opt-out file, instead of the one all stores share.
        max_data_age: a run with older orders is refused.
        explicit_consent_sources: consents from these, if dated, lift an earlier refusal.
        segments: names of your own for conditions over customers, in SQL.
        channels: channel and the provider it goes through; outbox or feed by default.
        prices: channel and the price of one message, in the store's currency.
        brand_message_targets: M, N, where Kakao has approved them for your channel.
        policy: what you allow yourself beyond the law.
    """

    name: PlainText
    timezone: ZoneName
    country: CountryCode
    currency: CurrencyCode
    url: WebText = ""
    sender: SenderEntry = SenderEntry()
    optout: OptoutEntry = OptoutEntry()
    sources: SourcesEntry
    optouts: PlainText | None = None
    max_data_age: PositiveSpanField = Span(days=2)
    explicit_consent_sources: tuple[PlainText, ...] = ()
    segments: Mapping[OwnSegmentName, PlainText] = Field(default={})
    channels: Mapping[Channel, NameField] = Field(default={})
    prices: Mapping[Channel, Annotated[Decimal, Field(ge=0)]] = Field(default={})
    brand_message_targets: tuple[Literal["M", "N"], ...] = ()
    policy: PolicyEntry = PolicyEntry()

    @property
    def preset(self) -> str:
        """The policy preset: the one stated, or that of the country."""
        return self.policy.preset or default_preset(self.country)

    @model_validator(mode="after")
    def _hours_lie_within_the_law(self) -> Self:
        wider = wider_than_law(self.policy.hours, self.preset, self.country)
        if wider:
            raise all_wrong(
                Finding(
                    f"{self.policy.hours[channel]} is wider than the law allows",
                    f"own hours may only be narrower than {limit}",
                    ("policy", "hours", channel),
                )
                for channel, limit in wider.items()
            )
        return self


class ProviderEntry(Strict):
    """One account at a provider; keys not named here are the provider's own.

    Attributes:
        type: which provider.
        base_url: instead of the provider's own address.
        timeout: how long to wait for an answer.
        rate: messages a second, at most.
        concurrency: requests at the same time, at most.
        lookup_grace: how long after an attempt "not found" does not yet mean "not sent".
        certificate: number of its qualification as a bulk sender (전송자격인증), in Korea.
        sender_registered: true once your sending number is registered with it (발신번호 사전등록).
        signing_domain: the domain that it signs your e-mail with (DKIM).
    """

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, SettingText] = Field(init=False)

    type: ProviderType
    base_url: SafeWebText | None = None
    timeout: PositiveSpanField | None = None
    rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    concurrency: Annotated[int, Field(ge=1)] | None = None
    lookup_grace: PositiveSpanField | None = None
    certificate: PlainText | None = None
    sender_registered: bool = False
    signing_domain: DomainText | None = None
    # Whatever the provider, these are secrets.
    password: SecretText | None = None
    api_key: SecretText | None = None
    api_secret: SecretText | None = None
    auth_token: SecretText | None = None
    secret: SecretText | None = None
    secret_key: SecretText | None = None
    sms_secret_key: SecretText | None = None
    kakao_secret_key: SecretText | None = None
    private_key: SecretText | None = None

    @property
    def settings(self) -> Mapping[str, str]:
        """The provider's own keys, its secrets among them."""
        return self.model_dump(exclude=_COMMON, exclude_none=True)


class ConfigFile(Strict):
    """The stores of remindctl: their files, their providers, and what they allow themselves.

    Attributes:
        version: of this format; 1.
        log: where the send log is: a file, or postgresql://user@host/db.
        key_file: the key of the log's hashes.
        optouts: the file of who opted out, shared by all stores.
        stores: each by the name that --store and the log use.
        providers: each by the name that `channels` uses.
    """

    version: VersionField = 1
    log: LogAddress = ".remindctl/log.db"
    key_file: PlainText = ".remindctl/key"
    optouts: PlainText = ".remindctl/optouts.db"
    stores: Annotated[Mapping[NameField, StoreEntry], Field(min_length=1)]
    providers: Mapping[NameField, ProviderEntry] = Field(default={})

    @model_validator(mode="after")
    def _channels_go_to_providers_that_exist(self) -> Self:
        known = {*self.providers, *BUILT_IN_PROVIDERS}
        findings = [
            Finding(
                f"there is no provider {provider!r}",
                did_you_mean(provider, known),
                ("stores", key, "channels", channel),
            )
            for key, store in self.stores.items()
            for channel, provider in store.channels.items()
            if provider not in known
        ]
        if findings:
            raise all_wrong(findings)
        return self
