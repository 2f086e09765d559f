"""``explain``: every gate for one person, with the value that decided it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 (typer reads the annotations as they run)
from typing import TYPE_CHECKING, Annotated

import typer

from remindctl.cli.options import NoCache, Output

if TYPE_CHECKING:
    from remindctl.cli.world import Shop


def explain(
    campaign: Annotated[Path, typer.Argument(help="The campaign file.")],
    customer: Annotated[
        str, typer.Argument(help="Customer key, phone number, e-mail address or the shop's id.")
    ],
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="Look from this instant; default: now.")
    ] = None,
    store: Annotated[
        str | None, typer.Option(metavar="NAME", help="The store; needed among several.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The remindctl.yaml to use.")] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Form of the answer.")
    ] = Output.TABLE,
    no_cache: NoCache = False,  # noqa: FBT002 (a flag)
) -> None:
    """Say why a customer gets a campaign's messages now, or which rule holds them."""
    from remindctl.cli import line, world  # noqa: PLC0415
    from remindctl.plan import explain as explained  # noqa: PLC0415
    from remindctl.report import explain as report  # noqa: PLC0415
    from remindctl.report.progress import working  # noqa: PLC0415
    from remindctl.sendlog import look  # noqa: PLC0415

    settings = world.open_config(config, campaign, cache=not no_cache)
    stores = world.choose_stores(settings, [store] if store else [])
    with working("Reading"):
        shops = world.gather([campaign], settings, stores, as_of, any_age=True)
    shop, person = _find(shops, customer)
    with (
        working("Planning"),
        line.refused_by_log(),
        look(settings.log, settings.key_file, [shop.config.optouts]) as logs,
    ):
        planned = line.make_plans(line.lay_out(shop, logs, also=[person]), None)
        found = explained(planned.laid.desks[0], person, planned.plans[0])
    [row] = shop.people.filter(shop.people["person"] == person).to_dicts()
    if output is Output.JSON:
        from remindctl.report.stream import write_data  # noqa: PLC0415

        write_data(report.to_json(planned.plans[0], row, found))
    else:
        from remindctl.report.console import data_console  # noqa: PLC0415

        report.show(data_console(), planned.plans[0], row, found)


def _find(shops: list[Shop], customer: str) -> tuple[Shop, int]:
    """Find who is meant, in which store.

    Raises:
        Refused: nobody, or people of several stores.
    """
    import polars as pl  # noqa: PLC0415

    from remindctl.errors import refuse  # noqa: PLC0415
    from remindctl.stores.values import careful_phones, email  # noqa: PLC0415

    found = []
    for shop in shops:
        cell = pl.Series("cell", [customer.strip()])
        phones = careful_phones(cell, shop.config.store.country)
        names = {customer.strip(), *phones.drop_nulls()}
        names |= set(cell.to_frame().select(email(pl.col("cell")))["cell"].drop_nulls())
        people = shop.people.filter(pl.col("customer_key").is_in(names))["person"]
        known = shop.snapshot.addresses.filter(pl.col("value").is_in(names))["person"]
        found += [
            (shop, person) for person in pl.concat([people, known]).unique(maintain_order=True)
        ]
    if not found:
        hint = (
            "a customer key (remindctl customers shows it), phone number, e-mail or the shop's id"
        )
        raise refuse("no customer is known by this", hint, path="CUSTOMER")
    if len(found) > 1:
        keys = ", ".join(shop.config.store.key for shop, _ in found)
        raise refuse(
            f"several customers are known by this ({keys})",
            "add --store NAME, or give the customer key",
            path="CUSTOMER",
        )
    return found[0]
