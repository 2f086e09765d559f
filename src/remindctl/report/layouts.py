"""The list of export formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from remindctl.report.console import listing, section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from remindctl.stores.layout import Layout

_KINDS = {
    "orders": "Orders",
    "customers": "Customers",
    "events": "Events (never read as orders)",
    "consents": "Consents",
}


def show_layouts(console: Console, layouts: Sequence[Layout]) -> None:
    """Print name and title of each layout, grouped by what a row of it is."""
    for kind, title in _KINDS.items():
        section(console, title)
        grid = listing()
        for layout in layouts:
            if layout.kind == kind:
                grid.add_row(layout.layout, Text(layout.title))
        console.print(grid)
    console.print()
    console.print(
        "One of them as a start for your own: remindctl layouts show NAME > my-layout.yaml"
    )
