"""What may stand in ``remindctl.yaml``: its keys, their defaults, and what each value must be."""

# No `from __future__ import annotations` here: pydantic reads these annotations as they run.
import ipaddress
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from remindctl.documents import (
    SPAN_SHAPE,
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
    positive_span,
    wrong,
)
from remindctl.model import Calendar, Channel, Span
from remindctl.policy import wider_than_law
from remindctl.segments import BUILT_IN

# Every provider there is a description of; `channels` knows which this version sends through.
PROVIDER_TYPES = (
    "outbox",
    "console",
    "solapi",
    "twilio",
    "smtp",
    "resend",
    "webpush",
    "fcm",
    "feed",
    "webhook",
    "nhn",
    "aligo",
)
# Need no account and no settings, so they need no entry either.
BUILT_IN_PROVIDERS = ("outbox", "console", "feed")

_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PHONE = re.compile(r"\+?[0-9][0-9() -]{2,}")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9가-힣-]+\.)+[A-Za-z가-힣][A-Za-z0-9가-힣-]*")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# What people write who do not have ISO 3166 and 4217 at hand.
_COUNTRIES = {"UK": "GB", "KO": "KR", "KOREA": "KR", "USA": "US", "EN": "GB"}
_CURRENCIES = {"WON": "KRW", "₩": "KRW", "원": "KRW", "$": "USD", "€": "EUR", "£": "GBP"}


def environment_name(text: str) -> str | None:
    """Return the variable that ``${NAME}`` names, None for any other text."""
    match = _ENVIRONMENT.fullmatch(text)
    return match[1] if match else None


def _plain(text: str) -> str:
    if not text.strip() or len(text.splitlines()) > 1:
        raise wrong("must be one line of text")
    if "${" in text:
        raise wrong("is not a secret, so no environment variable is read here", "write the value")
    return text.strip()


def _secret(text: str) -> str:
    if environment_name(text) is None:
        raise wrong("a secret may not stand in a file", "name a variable instead: ${SHOP_PASSWORD}")
    return text


def _timezone(text: str) -> str:
    if text not in available_timezones():
        raise wrong(f"there is no time zone {text!r}", did_you_mean(text, available_timezones()))
    return text


def _not_a_code(text: str, kind: str, meant: Mapping[str, str], form: str) -> PydanticCustomError:
    near = meant.get(text.upper())
    return wrong(f"{text!r} is not a {kind} code", f"did you mean `{near}`?" if near else form)


def _country(text: str) -> str:
    if not re.fullmatch("[A-Z]{2}", text) or text in _COUNTRIES:
        raise _not_a_code(text, "country", _COUNTRIES, "two letters (ISO 3166): KR, US, DE")
    return text


def _currency(text: str) -> str:
    if not re.fullmatch("[A-Z]{3}", text) or text in _CURRENCIES:
        raise _not_a_code(text, "currency", _CURRENCIES, "three letters (ISO 4217): KRW, USD, EUR")
    return text


def _phone(text: str) -> str:
    if not _PHONE.fullmatch(text):
        raise wrong(f"{text!r} is not a phone number", "digits, spaces and dashes: 02-1234-5678")
    return text


def _sending_phone(text: str) -> str:
    if re.sub(r"\D", "", _phone(text)).startswith("050"):
        hint = "a number registered for sending, such as 02-… or 1588-…"
        raise wrong("050 numbers cannot send messages", hint)
    return text


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise wrong(f"{text!r} is not an e-mail address")
    return text


def _domain(text: str) -> str:
    if not _DOMAIN.fullmatch(text):
        raise wrong(f"{text!r} is not a domain", "shop.example")
    return text.lower()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _web(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or " " in text:
        raise wrong(f"{text!r} is not a web address", "https://shop.example")
    return text


def _safe_web(text: str) -> str:
    parts = urlsplit(_web(text))
    if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        raise wrong("plain http is only for this machine itself", "use https://")
    return text


def _optout_link(text: str) -> str:
    if re.sub(r"\{id\}", "", text).count("{"):
        raise wrong(f"{text!r} has a place that is not known", "{id} is the only one")
    return text


def _log(text: str) -> str:
    parts = urlsplit(text)
    if "://" not in text:
        return _plain(text)
    if parts.scheme not in ("postgresql", "postgres"):
        raise wrong(f"{parts.scheme}:// is not a log", "a file, or postgresql://user@host/db")
    if parts.password is not None:
        hint = "leave the password out; PostgreSQL reads PGPASSWORD or ~/.pgpass"
        raise wrong("a secret may not stand in a file", hint)
    return text


def _provider_type(text: str) -> str:
    if text not in PROVIDER_TYPES:
        raise wrong(f"{text!r} is no provider", did_you_mean(text, PROVIDER_TYPES))
    return text


def _setting(text: str) -> str:
    if "${" in text and environment_name(text) is None:
        raise wrong("${…} must be the whole value", "name one environment variable: ${NAME}")
    return text


def _own_segment(text: str) -> str:
    if text in BUILT_IN:
        raise wrong("is the name of a built-in segment", "choose another name")
    return text


PlainText = Annotated[str, AfterValidator(_plain)]
PhoneText = Annotated[PlainText, AfterValidator(_phone)]
SecretText = Annotated[str, AfterValidator(_secret)]
SettingText = Annotated[str, AfterValidator(_setting)]
OwnSegmentName = Annotated[NameField, AfterValidator(_own_segment)]
SafeWebText = Annotated[PlainText, AfterValidator(_safe_web)]


def default_preset(country: str) -> str:
    """Return the policy preset of a country that states none.

    Korea and the United States have their own. Everyone else gets EU, the members and whoever has
    no preset here: consent before every advertisement and a way out in each, without the texts that
    only Korean and US law ask for.
    """
    return country if country in ("KR", "US") else "EU"


class SenderEntry(Strict):
    """Who sends: what the law wants every advertisement to say."""

    phone: Annotated[PlainText, AfterValidator(_sending_phone)] | None = None
    email: Annotated[PlainText, AfterValidator(_email)] | None = None
    contact: PhoneText | None = None
    address: PlainText | None = None


class OptoutEntry(Strict):
    """How customers refuse further advertising, free of charge."""

    phone: PhoneText | None = None
    url: Annotated[SafeWebText, AfterValidator(_optout_link)] | None = None


class SourcesEntry(Strict):
    """The files of a store: one glob pattern or several each, relative to the configuration."""

    orders: Annotated[OneOrMore, Field(min_length=1)]
    customers: OneOrMore = ()
    consents: OneOrMore = ()
    events: OneOrMore = ()
    coupons: OneOrMore = ()
    password: SecretText | None = None
    layout: PlainText = "auto"


def _calendar(given: object) -> object:
    return Calendar(str(given)) if given in tuple(Calendar) else positive_span(given)


PeriodField = Annotated[
    Span | Calendar,
    PlainValidator(_calendar),
    WithJsonSchema({"anyOf": [{"enum": list(Calendar)}, SPAN_SHAPE]}),
]


class CapEntry(Strict):
    """At most ``max`` messages to one person within ``per``."""

    max: Annotated[int, Field(ge=1)]
    per: PeriodField
    channel: Channel | None = None
    tag: NameField | None = None


class CeilingEntry(Strict):
    """A run above either number is refused whole."""

    recipients: Annotated[int, Field(ge=1)] | None = None
    cost: Annotated[Decimal, Field(ge=0)] | None = None


class PolicyEntry(Strict):
    """What a store allows itself, on top of the preset of its country."""

    preset: Literal["KR", "US", "EU"] | None = None
    existing_customers: Literal["never", "6_months"] = "never"
    hours: Mapping[Channel, WindowField] = Field(default={})
    holidays: tuple[date, ...] = ()
    caps: tuple[CapEntry, ...] = ()
    holdout: PercentField = 0.0
    ceiling: CeilingEntry = CeilingEntry()
    attribution: PositiveSpanField = Span(days=7)


class StoreEntry(Strict):
    """One store."""

    name: PlainText
    timezone: Annotated[PlainText, AfterValidator(_timezone)]
    country: Annotated[PlainText, AfterValidator(_country)]
    currency: Annotated[PlainText, AfterValidator(_currency)]
    url: Annotated[PlainText, AfterValidator(_web)] = ""
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


# Keys of every provider; the rest are its own settings.
_COMMON = {
    "type", "base_url", "timeout", "rate", "concurrency", "lookup_grace", "certificate",
    "sender_registered", "signing_domain",
}  # fmt: skip


class ProviderEntry(Strict):
    """One account at a provider; keys not named here are the provider's own."""

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, SettingText] = Field(init=False)

    type: Annotated[PlainText, AfterValidator(_provider_type)]
    base_url: SafeWebText | None = None
    timeout: PositiveSpanField | None = None
    rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    concurrency: Annotated[int, Field(ge=1)] | None = None
    lookup_grace: PositiveSpanField | None = None
    certificate: PlainText | None = None
    sender_registered: bool | None = None
    signing_domain: Annotated[PlainText, AfterValidator(_domain)] | None = None
    # Whatever the provider, these are secrets.
    password: SecretText | None = None
    api_key: SecretText | None = None
    api_secret: SecretText | None = None
    auth_token: SecretText | None = None
    secret: SecretText | None = None
    secret_key: SecretText | None = None
    private_key: SecretText | None = None

    @property
    def settings(self) -> Mapping[str, str]:
        """The provider's own keys, its secrets among them."""
        return self.model_dump(exclude=_COMMON, exclude_none=True)


class ConfigFile(Strict):
    """The whole file."""

    version: VersionField = 1
    log: Annotated[str, AfterValidator(_log)] = ".remindctl/log.db"
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
