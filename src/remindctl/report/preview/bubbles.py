"""A preview on a terminal: each message as a bubble, with whom it is for, when, why and the cost.

Rich measures text in cells, in which a Korean letter is two wide, so that bubbles close.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from remindctl.report.console import INDENT, one_line, paragraph, section
from remindctl.report.preview import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, RenderableType

    from remindctl.report.preview.shown import Preview, Shown

# About as many letters as a phone shows in a line, and frame and padding.
_BUBBLE = 56


def show(console: Console, previews: Sequence[Preview]) -> None:
    """Print the messages of each preview, and after them those held because of their content."""
    for preview in previews:
        store = preview.store
        who = f"{preview.campaign}, {store.name} ({store.key})"
        section(console, one_line(f"{who}, {words.at(preview)}"))
        paragraph(console, words.summary(preview))
        for note in preview.notes:
            paragraph(console, one_line(note))
        for shown in preview.made:
            _message(console, shown)
        if preview.unmade:
            section(console, "Held by their content")
            for shown in preview.unmade:
                _message(console, shown)
    console.print()


def _message(console: Console, shown: Shown) -> None:
    names = [shown.step, shown.variant, words.CHANNELS[shown.channel]]
    title = Text(one_line(" · ".join(name for name in names if name)), style="bold")
    if shown.labels:
        title.append(one_line(f"  [{', '.join(shown.labels)}]"), style="dim")
    console.print()
    console.print(Padding(title, (0, 0, 0, INDENT)))
    paragraph(console, one_line(f"to {words.whom(shown)}; due {words.when(shown)}"))
    paragraph(console, one_line(f"why: {shown.why}"), "dim")
    if held := words.held_now(shown):
        paragraph(console, held, "dim")
    if parts := list(_parts(shown)):
        bubble = Panel(Group(*parts), box=box.ROUNDED, width=_BUBBLE, padding=(0, 1))
        console.print(Padding(bubble, (0, 0, 0, INDENT)))
    if shown.problem is not None:
        paragraph(console, one_line(f"held: {shown.problem.what}"), "bold")
        if shown.problem.hint:
            paragraph(console, one_line(f"hint: {shown.problem.hint}"))
    for what, url in words.links(shown):
        paragraph(console, one_line(f"{what}: {url}"), "dim")
    facts = (words.length(shown), words.cost(shown), words.coupon_code(shown))
    if said := "; ".join(fact for fact in facts if fact):
        paragraph(console, one_line(said), "dim")


def _parts(shown: Shown) -> Iterator[RenderableType]:
    """Yield what stands in the bubble, from top to bottom."""
    extras = shown.extras
    if image := extras.get("image"):
        yield Text(one_line(f"[image: {PurePath(image).name}]"), style="dim")
    if shown.subject:
        yield Text(one_line(shown.subject), style="bold")
    if shown.text:
        yield Text("\n".join(one_line(line) for line in shown.text.splitlines()))
    if shown.html:
        yield Text("[with HTML: see --html FILE]", style="dim")
    if coupon := extras.get("coupon"):
        yield Text()
        yield Text(one_line(f"[coupon] {coupon['title']}"), style="bold")
        yield Text(one_line(coupon["description"]))
    found = words.buttons(shown)
    if found:
        yield Text()
    for one in found:
        plus = "+ " if one.adds_channel else ""
        yield Text(one_line(f"[ {plus}{one.name} ]"), justify="center", style="bold")
