"""What the law wants an advertisement to say, put where it wants it, by country and channel.

Korea: 정보통신망법 Article 50(4) and 50(6), Decree 61(3) and 62: the label ``(광고)``, the sender
and a refusal free of charge. United States: CTIA Messaging Principles (brand, STOP) and CAN-SPAM,
15 U.S.C. 7704(a)(5) (identified as an advertisement, postal address, opt-out). European Union:
Directive 2002/58/EC, Article 13 (who sends, and a way to object in every message).

A text message goes to people of any country. One abroad carries what both countries ask for: an 080
number does not satisfy the one, nor STOP the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import polars as pl

from remindctl.errors import Place, Problem, Refused
from remindctl.model import FAMILY, Family, Purpose
from remindctl.render.lengths import is_usual

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remindctl.model import Channel, Store

LABEL = "(광고)"
# Stands in a link for the customer's key.
CUSTOMER = "{id}"
# (광고) in any brackets and spelling, and the bare word as the first of a message.
_IN_BRACKETS = re.compile(r"[(\[{<（［【〔〈《]\s*광\s*[.\-/·,]?\s*고\s*[)\]}>）］】〕〉》]")
_AT_THE_HEAD = re.compile(r"\s*광\s?고(?![가-힣])")
_HAND_MADE_REFUSAL = re.compile(r"무료\s*(?:수신)?\s*거부")
# Whatever they find has this in it.
_SUSPECT = r"광\s*[.\-/·,]?\s*고|무료\s*(?:수신)?\s*거부"
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
_STOP = "Reply STOP to opt out"
# Whose networks and habits know STOP.
_NORTH_AMERICA = frozenset({"US", "CA"})


@dataclass(frozen=True, slots=True)
class Label:
    """What is added around a message.

    Attributes:
        subject: before the subject.
        head: before the text.
        tail: the last line or lines of text and HTML; ``{id}`` stands for the customer's key.
        brand: the store's name, put before the text unless it is in it already.
        link: the part of ``tail`` that is a link in HTML.
    """

    subject: str = ""
    head: str = ""
    tail: str = ""
    brand: str = ""
    link: str = ""

    @property
    def is_usual(self) -> bool:
        """Whether it leaves usual texts usual; see ``lengths.is_usual``."""
        return is_usual(self.subject + self.head + self.tail + self.brand)

    def on_texts(self, text: str, customer: str) -> pl.Expr:
        """Add head and tail to the texts of a column.

        Args:
            text: its name.
            customer: name of the column of the customers' keys, in the form that links want.
        """
        parts: list[pl.Expr] = [pl.col(text)]
        if self.brand:
            named = pl.col(text).str.contains(self.brand, literal=True)
            parts.insert(0, pl.when(named).then(pl.lit("")).otherwise(pl.lit(f"{self.brand}: ")))
        if self.head:
            parts.insert(0, pl.lit(f"{self.head}\n"))
        if self.tail:
            parts += with_keys(f"\n{self.tail}", customer)
        return pl.concat_str(parts).alias(text)

    def on_html(self, html: str, customer: str) -> str:
        """Add the tail at the end of an HTML body."""
        if not self.tail:
            return html
        lines = escape(self.tail.replace(CUSTOMER, customer)).replace("\n", "<br>")
        if self.link:
            url = escape(self.link.replace(CUSTOMER, customer))
            lines = lines.replace(url, f'<a href="{url}">{url}</a>')
        footer = f'<p style="font-size:12px;color:#666">{lines}</p>'
        end = _BODY_END.search(html)
        at = end.start() if end else len(html)
        return html[:at] + footer + html[at:]


def is_korean(store: Store) -> bool:
    """Say whether Korean law decides the form; a preset cannot take a Korean store out of it."""
    return "KR" in (store.country, store.policy.preset)


def label(store: Store, channel: Channel, purpose: Purpose, country: str | None = None) -> Label:
    """Return what a message of this store and channel must carry.

    A Kakao message carries nothing: Kakao labels what is flagged as an advertisement. What the shop
    shows on its own pages is no message, and a webhook's receiver is the store's own program.

    Args:
        store: who sends.
        channel: of the message.
        purpose: of the message.
        country: of the recipient, for a text message; None = the store's own.

    Raises:
        Refused: the configuration lacks what the law asks for; each problem names the key.
    """
    family = FAMILY[channel]
    if purpose is not Purpose.ADVERTISING or family not in (
        Family.TEXT, Family.EMAIL, Family.PUSH,
    ):  # fmt: skip
        return Label()
    lacks = list(_lacks(store, family, country))
    if lacks:
        what = f"advertising by {channel}{_to(store, country)} needs"
        raise Refused(
            Problem(Place(), f"{what} `stores.{store.key}.{key}` ({why})", f"add it: {example}")
            for key, why, example in lacks
        )
    if family is Family.EMAIL:
        return _email(store)
    if family is Family.PUSH:
        return _push(store)
    return _text(store, country)


def _to(store: Store, country: str | None) -> str:
    return f" to {country}" if country not in (None, store.country) else ""


def _lacks(store: Store, family: Family, country: str | None) -> Iterator[tuple[str, str, str]]:
    sender, optout = store.sender, store.optout
    phone = ("optout.phone", "the free refusal", 'optout: {phone: "0808880000"}')
    link = ("optout.url", "the link to refuse", "optout: {url: https://shop.example/optout}")
    contact = ("sender.contact", "whom to reach", 'sender: {contact: "02-1234-5678"}')
    if family is Family.EMAIL:
        if "url" not in optout:
            yield link
        elif not optout["url"].startswith("https://"):
            yield "optout.url", "a link that begins with https://", link[2]
        if store.policy.preset == "US" and "address" not in sender:
            yield "sender.address", "the postal address", 'sender: {address: "1 Main St, …"}'
        if is_korean(store) and not sender.keys() & {"contact", "phone", "email"}:
            yield contact
    elif is_korean(store) or country == "KR":
        if family is Family.TEXT and "phone" not in optout:
            yield phone
        elif not optout:
            yield link
        if not sender.keys() & {"contact", "phone"}:
            yield contact


def _text(store: Store, country: str | None) -> Label:
    there = country or store.country
    countries = dict.fromkeys((store.country, there))
    stops = [_stop(store, one) for one in countries if one != "KR"]
    if not is_korean(store) and there != "KR":
        return Label(brand=store.name, tail="\n".join(dict.fromkeys(stops)))
    who = f"{store.name} {contact}" if (contact := _contact(store)) else store.name
    # In Korea the refusal is the end of the message.
    refusal = f"무료수신거부 {store.optout['phone']}"
    tail = "\n".join(dict.fromkeys((*stops, refusal)))
    return Label(subject=LABEL, head=LABEL + who, tail=tail)


def _stop(store: Store, country: str) -> str:
    """Say how to stop in a country other than Korea."""
    at_home = country == store.country and store.policy.preset == "US"
    link = store.optout.get("url")
    return _STOP if country in _NORTH_AMERICA or at_home or not link else f"Opt out: {link}"


def _email(store: Store) -> Label:
    link = store.optout["url"]
    sender = store.sender
    phone = sender.get("contact") or sender.get("phone")
    known = (store.name, sender.get("address"), phone, sender.get("email"))
    who = " | ".join(value for value in known if value)
    if is_korean(store):
        tail = f"--\n{who}\n무료수신거부(Unsubscribe): {link}"
        return Label(subject=f"{LABEL} ", tail=tail, link=link)
    tail = f"--\nThis is an advertisement from {who}\nUnsubscribe: {link}"
    return Label(tail=tail, link=link)


def _push(store: Store) -> Label:
    if not is_korean(store):
        return Label()
    refusal = store.optout.get("phone") or store.optout["url"]
    contact = store.sender.get("contact") or store.sender["phone"]
    head = f"{LABEL}{store.name} {contact}"
    return Label(subject=f"{LABEL} ", head=head, tail=f"무료수신거부 {refusal}")


def _contact(store: Store) -> str:
    """Return the contact to print: none where it is the number the message comes from."""
    contact, phone = store.sender.get("contact", ""), store.sender.get("phone", "")
    same = re.sub(r"\D", "", contact) == re.sub(r"\D", "", phone)
    return "" if same else contact


def with_keys(text: str, customer: str) -> list[pl.Expr]:
    """Put the customers' keys, a column, into a text where it has a place for them."""
    first, *rest = text.split(CUSTOMER)
    parts: list[pl.Expr] = [pl.lit(first)]
    for part in rest:
        parts += [pl.col(customer), pl.lit(part)]
    return parts


def hand_made(text: str, *, head: bool) -> str | None:
    """Return the label or refusal line that someone wrote by hand.

    Args:
        text: a message or a piece of its template.
        head: whether the message begins with it.
    """
    patterns = (_IN_BRACKETS, _HAND_MADE_REFUSAL)
    found = next((match for pattern in patterns if (match := pattern.search(text))), None)
    if found is None and head:
        found = _AT_THE_HEAD.match(text)
    return found[0].strip() if found else None


def hand_made_column(texts: pl.Series) -> dict[int, str]:
    """Return what :func:`hand_made` finds in whole messages, by row."""
    suspects = texts.str.contains(_SUSPECT).fill_null(value=False).arg_true()
    found = (hand_made(text, head=True) for text in texts.gather(suspects))
    return {row: what for row, what in zip(suspects, found, strict=True) if what}
