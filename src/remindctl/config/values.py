"""Single values of ``remindctl.yaml``: names, addresses, secrets, codes of countries and money."""

# No `from __future__ import annotations` here: pydantic reads these annotations as they run.
import ipaddress
import re
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, GetJsonSchemaHandler, PlainValidator, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from remindctl.documents import SPAN_SHAPE, NameField, did_you_mean, positive_span, wrong
from remindctl.model import PROVIDER_PLUGINS, Calendar, Span
from remindctl.segments import BUILT_IN

# Ours, by the types in `channels`; installed packages may add more.
PROVIDER_TYPES = (
    "outbox", "console", "feed", "solapi", "twilio", "smtp", "resend", "webpush", "fcm", "webhook",
    "nhn", "aligo",
)  # fmt: skip

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


def _provider_types() -> list[str]:
    """Name what an account may be of, on this machine."""
    return [*PROVIDER_TYPES, *sorted(entry_points(group=PROVIDER_PLUGINS).names)]


def _provider_type(text: str) -> str:
    if text not in PROVIDER_TYPES and text not in (known := _provider_types()):
        raise wrong(f"{text!r} is no provider", did_you_mean(text, known))
    return text


class _ProviderTypes:
    """Lists them in the JSON Schema, once that is asked for."""

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "enum": _provider_types()}


def _setting(text: str) -> str:
    if "${" in text and environment_name(text) is None:
        raise wrong("${…} must be the whole value", "name one environment variable: ${NAME}")
    return text


def _own_segment(text: str) -> str:
    if text in BUILT_IN:
        raise wrong("is the name of a built-in segment", "choose another name")
    return text


def _calendar(given: object) -> object:
    return Calendar(str(given)) if given in tuple(Calendar) else positive_span(given)


def _shape(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


PlainText = Annotated[str, AfterValidator(_plain)]
PhoneText = Annotated[PlainText, AfterValidator(_phone)]
SendingPhoneText = Annotated[PlainText, AfterValidator(_sending_phone)]
EmailText = Annotated[PlainText, AfterValidator(_email), _shape(_EMAIL.pattern)]
DomainText = Annotated[PlainText, AfterValidator(_domain)]
WebText = Annotated[PlainText, AfterValidator(_web), _shape("https?://.+")]
SafeWebText = Annotated[PlainText, AfterValidator(_safe_web), _shape("https?://.+")]
OptoutLink = Annotated[SafeWebText, AfterValidator(_optout_link)]
LogAddress = Annotated[str, AfterValidator(_log)]
ZoneName = Annotated[PlainText, AfterValidator(_timezone)]
CountryCode = Annotated[PlainText, AfterValidator(_country), _shape("[A-Z]{2}")]
CurrencyCode = Annotated[PlainText, AfterValidator(_currency), _shape("[A-Z]{3}")]
ProviderType = Annotated[
    PlainText,
    AfterValidator(_provider_type),
    _ProviderTypes(),
]
SecretText = Annotated[str, AfterValidator(_secret), _shape(_ENVIRONMENT.pattern)]
SettingText = Annotated[str, AfterValidator(_setting)]
OwnSegmentName = Annotated[NameField, AfterValidator(_own_segment)]
PeriodField = Annotated[
    Span | Calendar,
    PlainValidator(_calendar),
    WithJsonSchema({"anyOf": [{"enum": list(Calendar)}, SPAN_SHAPE]}),
]
