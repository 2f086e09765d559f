"""Rendering against the loop that it replaces: ``template.render`` for one row after the other.

The loop is handed clean rows, as the dictionaries that it wants, and does nothing but fill the
template, in the same sandbox. ``CompiledLeg.render`` is handed the frame: it cleans the values,
writes the texts, tidies them, adds what the law wants, looks for labels made by hand and counts.
"""

from __future__ import annotations

import gc
import random
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from benchmarks.compare import Comparison
from benchmarks.generate import SEED
from remindctl.model import Campaign, Channel, Leg, Policy, Purpose, Store
from remindctl.render import compile_leg
from remindctl.render.filters import filters
from remindctl.render.sandbox import sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from jinja2 import Template

    from remindctl.render import CompiledLeg

TARGET, TARGET_FROM = 0.5, 1_000_000
_PRODUCTS, _NAMES = 2_000, 400
# So many rows are dictionaries at once: what is compared is not how memory is had.
_ROWS = 50_000

STORE = Store(
    key="green",
    name="초록상점",
    timezone="Asia/Seoul",
    country="KR",
    currency="KRW",
    url="https://shop.example",
    sender={"phone": "0212345678", "contact": "02-1234-5678"},
    optout={"phone": "0808880000"},
    policy=Policy(preset="KR"),
)
CAMPAIGN = Campaign(name="winback", purpose=Purpose.ADVERTISING, steps=())
# About 200 characters once it is filled: six names of the row, one condition, one filter.
TEXT = """\
{{ first_name }}님, 안녕하세요. 초록상점입니다.

지난번에 고르신 {{ product | josa('은/는') }} 마음에 드셨는지 궁금했어요.
다녀가신 지 어느덧 {{ days }}일이 지났네요.
{% if orders > 3 %}
벌써 여러 번 찾아 주셔서 늘 고마운 마음입니다.
{% endif %}
그사이 {{ category }} 상품을 새로 들여 하나하나 살펴 골라 두었습니다.
서두르지 마시고 생각나실 때 차 한잔하시며 천천히 둘러보세요. 늘 같은 자리에 있겠습니다.
https://shop.example/{{ link }}"""
LABELLED = "(광고)초록상점\n{}\n무료수신거부 0808880000"


class Seconds(NamedTuple):
    """What something took."""

    wall: float
    cpu: float


def benchmark(
    sizes: Sequence[int], repeat: int, folder: Path, say: Callable[[str], None]
) -> list[Comparison]:
    """Compare rendering with the loop, for as many messages as each of ``sizes`` says.

    Args:
        sizes: numbers of messages.
        repeat: rounds, after the texts of one that is not counted were compared.
        folder: not used, as no file is made.
        say: told what is being done.

    Raises:
        RuntimeError: a text differs.
    """
    del folder
    return [one for size in sizes for one in _compared(size, repeat, say)]


def _compared(size: int, repeat: int, say: Callable[[str], None]) -> list[Comparison]:
    say(f"{size:,} messages: comparing the texts, then {repeat} rounds")
    frame = customers(size)
    some = frame.head(_ROWS)
    check(some, _leg().render(some).get_column("text"))
    rounds = [(loop(frame), _render(frame)) for _ in range(repeat)]
    return [
        Comparison(
            measure=f"{size:,} messages of 200 characters: {unit} time",
            unit="s",
            against="template.render",
            base=tuple(getattr(loop, unit) for loop, _ in rounds),
            values=tuple(getattr(ours, unit) for _, ours in rounds),
            target=TARGET if size >= TARGET_FROM and unit == "wall" else None,
        )
        for unit in Seconds._fields
    ]


def customers(size: int) -> pl.DataFrame:
    """Return so many customers; a fifth has a category that is not of Hangul and ASCII alone."""
    dice = random.Random(SEED)
    syllables = "민서준하윤지우연수현도은"
    names = ["".join(dice.choices(syllables, k=2)) for _ in range(_NAMES)]
    kinds = ("콜라겐", "녹차", "비누", "꿀", "원두", "사료")
    products = [f"{dice.choice(kinds)} {number}호" for number in range(_PRODUCTS)]
    products[0] = "Crème 0호"
    categories = ("건강식품", "차와 커피", "생활용품", "반려동물", "뷰티·바디")
    return pl.DataFrame(
        {
            "first_name": dice.choices(names, k=size),
            "product": dice.choices(products, k=size),
            "days": dice.choices(range(400), k=size),
            "orders": dice.choices(range(1, 9), k=size),
            "category": dice.choices(categories, k=size),
            "link": [f"{number:012x}" for number in range(size)],
        }
    )


def check(frame: pl.DataFrame, texts: Iterable[str | None]) -> None:
    """Compare every text with the one that the loop writes; è is in no Korean text message.

    Raises:
        RuntimeError: one differs.
    """
    template = _template()
    for row, text in zip(frame.iter_rows(named=True), texts, strict=True):
        filled = LABELLED.format(template.render(row))
        expected = None if "è" in filled else filled
        if text != expected:
            raise RuntimeError(f"a wrong answer is not worth timing: {text!r}, not {expected!r}")


def loop(frame: pl.DataFrame) -> Seconds:
    """Time the loop over rows that are made ready beforehand."""
    template = _template()
    wall = cpu = 0.0
    for start in range(0, len(frame), _ROWS):
        rows = frame[start : start + _ROWS].to_dicts()
        spent = timed(partial(_rendered, template, rows))
        wall, cpu = wall + spent.wall, cpu + spent.cpu
    return Seconds(wall, cpu)


def _rendered(template: Template, rows: Iterable[Mapping[str, object]]) -> list[str]:
    return [template.render(row) for row in rows]


def _render(frame: pl.DataFrame) -> Seconds:
    return timed(lambda: _leg().render(frame))


def timed(work: Callable[[], object]) -> Seconds:
    """Time some work, its result thrown away."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    done = work()
    spent = Seconds(time.perf_counter() - wall, time.process_time() - cpu)
    del done
    return spent


def _leg() -> CompiledLeg:
    leg = Leg(channel=Channel.LMS, text=TEXT, subject="그동안 잘 지내셨나요?")
    return compile_leg(leg, STORE, CAMPAIGN)


def _template() -> Template:
    return sandbox(filters(STORE, CAMPAIGN, Channel.LMS), html=False).from_string(TEXT)
