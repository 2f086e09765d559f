"""Campaign files with the waits that a store's own curves suggest.

They are whole and work as they are; the texts are a start. Each says where its number comes from.
"""

from __future__ import annotations

import json
import re
import textwrap
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remindctl.analysis import Analysis
    from remindctl.suggestions import Suggestion

# What no campaign file may hold, be it written as an escape: such an item gets none.
_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_WIDTH = 96
_SLUG = 48


@dataclass(frozen=True, slots=True)
class _Wording:
    """A campaign in words: what it is, for whom, its subject and text in Korean and English.

    Attributes:
        reentry: the pause before the same person may get it again; shorter than a usual cycle
            where every order begins a new one.
    """

    title: str
    where: str
    reentry: str
    korean_subject: str
    korean: str
    english_subject: str
    english: str


# `ITEM` stands for a template expression: the item's name as a string.
_WORDINGS: Mapping[str, _Wording] = {
    "second_order": _Wording(
        "Second order: a word to new customers in the days in which most second orders come.",
        "purchase_days = 1",
        "90d",
        "첫 주문은 마음에 드셨나요?",
        "첫 주문은 마음에 드셨나요? 함께 쓰기 좋은 것들을 골라 두었습니다. 필요하실 때 편하게 "
        "둘러보세요.",
        "How was your first order?",
        "How was your first order? If you need anything else, we're here.",
    ),
    "reminder": _Wording(
        "Reminder: to customers who have come back before, when the next order is near.",
        "purchase_days >= 2",
        "14d",
        "혹시 떨어져 가는 것은 없으신가요?",
        "지난 주문 이후 {{ days_since_last }}일이 지났네요. 혹시 떨어져 가는 것은 없으신가요? "
        "필요하신 것을 편하게 둘러보세요.",
        "Running low on anything?",
        "Running low on anything? Have a look whenever you like.",
    ),
    "first_win_back": _Wording(
        "First win-back: to customers with one order, before they are lost.",
        "purchase_days = 1",
        "90d",
        "그동안 잘 지내셨나요?",
        "다녀가신 지 {{ days_since_last }}일이 지났네요. 그사이 새로 들어온 것들이 있어요. 천천히 "
        "둘러보세요.",
        "It has been a while",
        "It's been a while! Come and see what's new.",
    ),
    "win_back": _Wording(
        "Win-back: to customers who used to come back, before they are lost.",
        "purchase_days >= 2",
        "90d",
        "오랜만에 안부 여쭙니다",
        "요즘 뜸하셔서 안부 여쭙니다. 그동안 새로 들인 것들을 골라 두었으니 천천히 둘러보세요.",
        "We have missed you",
        "We've missed you! See what's new since your last visit.",
    ),
    "refill": _Wording(
        "Refill: when what was bought last is likely to run out.",
        "",
        "7d",
        "떨어져 갈 때가 되었네요",
        '지난번에 고르신 {{ ITEM | truncate(40) | josa("이/가") }} 떨어져 갈 때가 되었네요. '
        "필요하시면 미리 주문해 두세요.",
        "Time for a refill?",
        "Running low on {{ ITEM | truncate(28) }}? Time for a refill.",
    ),
}  # fmt: skip

_FILE = """\
{comment}

version: 1

campaign: {name}
purpose: advertising
{stores}tags: [{tag}]
{priority}
audience:
  where: {where}

# Whoever got this message is left alone by this campaign for so long.
reentry: {reentry}

steps:
  - id: day{wait}
    due:
      after: {after}
      wait: {wait}d
      within: {within}d
      at: "16:00-17:00"
      until: order
      night: defer
      max_delay: 3d
    send:
      - channel: lms
        subject: {subject}
        text: |
{text}
      - channel: email
        subject: {subject}
        text: |
{text}
    fallback_within: 2d
"""

_TEXT = """\
{{% if store.country == "KR" %}}
{{{{ first_name | default("고객") }}}}님, {korean}
{{% if store.url %}}

{{{{ store.url }}}}
{{% endif %}}
{{% else %}}
Hi {{{{ first_name | default("there") }}}}, {{{{ store.name }}}} here. {english}\
{{% if store.url %}} {{{{ store.url }}}}{{% endif %}}

{{% endif %}}"""

_SUBJECT = '{{% if store.country == "KR" %}}{korean}{{% else %}}{english}{{% endif %}}'


def campaign_files(analysis: Analysis, stores: Sequence[str] = ()) -> dict[str, str]:
    """Write one campaign per suggested timing: file name → its text.

    Args:
        analysis: of one store, by product or category where refills are wanted.
        stores: the names in ``remindctl.yaml`` of the stores they are for; none: all.
    """
    files: dict[str, str] = {}
    taken: set[str] = set()
    for one in analysis.suggestions:
        if one.item is not None and (not _shown(one.item) or _REFUSED.search(one.item)):
            continue
        name = _free(_name(one), taken)
        files[f"{name}.yaml"] = _campaign(one, name, analysis, stores)
    return files


def _campaign(one: Suggestion, name: str, analysis: Analysis, stores: Sequence[str]) -> str:
    wording = _WORDINGS[one.campaign]
    item = _jinja(_shown(one.item or ""))
    text = _TEXT.format(korean=wording.korean, english=wording.english).replace("ITEM", item)
    subject = _SUBJECT.format(korean=wording.korean_subject, english=wording.english_subject)
    return _FILE.format(
        comment=_comment(one, wording, analysis),
        name=name,
        stores=f"stores: [{', '.join(map(_yaml, stores))}]\n" if stores else "",
        tag=one.campaign,
        # What runs out goes before what might please.
        priority="priority: 60\n" if one.item else "",
        where=_yaml(_where(one, wording, analysis.by)),
        reentry=wording.reentry,
        wait=one.wait_days,
        after=one.after,
        within=one.within_days,
        subject=_yaml(subject),
        text=textwrap.indent(text, " " * 10),
    )


def _comment(one: Suggestion, wording: _Wording, analysis: Analysis) -> str:
    what = wording.title if one.item is None else f"{wording.title} Here: {_shown(one.item)}"
    source = (
        f"Where the {one.wait_days} days come from: {_shown(analysis.store)}, as of "
        f"{analysis.as_of}, {analysis.counts.customers} customers: {_shown(one.reason)}."
    )
    advice = (
        "Try it first: `remindctl run FILE --dry-run` shows who would get which text, when, and "
        "who would not and why. Ask for newer numbers now and then: remindctl analyze --suggest "
        "writes into a new folder and never over a file."
    )
    paragraphs = (textwrap.wrap(part, _WIDTH) for part in (what, source, advice))
    return "\n#\n".join("\n".join(f"# {line}" for line in part) for part in paragraphs)


def _where(one: Suggestion, wording: _Wording, by: str) -> str:
    if one.item is None:
        return wording.where
    literal = "'" + one.item.replace("'", "''") + "'"
    if by == "category":
        return f"favourite_category = {literal}"
    return f"array_contains(last_products, {literal})"


def _name(one: Suggestion) -> str:
    if one.item is None:
        return one.campaign
    letters = re.sub("[^A-Za-z0-9가-힣]+", "-", unicodedata.normalize("NFC", one.item))
    return f"{one.campaign}-{letters.strip('-')[:_SLUG].rstrip('-') or 'item'}"


def _free(name: str, taken: set[str]) -> str:
    """Give a name that no other file has, also where letters of both cases are one."""
    number, found = 1, name
    while found.casefold() in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found.casefold())
    return found


def _shown(text: str) -> str:
    """Return what of a text can stand in a line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _jinja(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _yaml(text: str) -> str:
    """Quote a text; what JSON leaves as it is and YAML does not print is escaped."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)
