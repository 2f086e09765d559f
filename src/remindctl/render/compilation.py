"""A leg of a campaign → a leg that is ready to be filled, or everything that is wrong with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remindctl.errors import Place, Problem, Refused
from remindctl.model import FAMILY, Family
from remindctl.render.check import line_of, problems
from remindctl.render.columns import ColumnTemplate
from remindctl.render.content import placeholders, templates, variable
from remindctl.render.filters import filters
from remindctl.render.labels import CUSTOMER, is_korean
from remindctl.render.legs import CompiledLeg
from remindctl.render.manners import manner
from remindctl.render.names import constants
from remindctl.render.sandbox import sandbox
from remindctl.render.wording import doubtful, unfounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remindctl.model import Campaign, Leg, Store

_HTML = frozenset({"html", "layout"})


def compile_leg(leg: Leg, store: Store, campaign: Campaign) -> CompiledLeg:
    """Compile a leg for a store.

    Raises:
        Refused: with everything that is wrong: templates, statements that need a fact, and what the
            configuration lacks that the law asks for (these without a place).
    """
    sources = _sources(leg)
    found = list(_problems(leg, sources))
    domestic = None
    try:
        domestic = manner(store, leg.channel, campaign.purpose)
    except Refused as refused:
        found.extend(refused.problems)
    if found or domestic is None:
        raise Refused(found)
    ours, same = filters(store, campaign, leg.channel), constants(store, campaign)
    environments = {html: sandbox(ours, html=html) for html in (False, True)}
    compiled = {
        key: ColumnTemplate(environments[key in _HTML], source, same)
        for key, (source, _) in sources.items()
    }
    names = frozenset().union(*(template.names for template in compiled.values())) - {"body"}
    if FAMILY[leg.channel] is Family.TEXT:
        names |= {"country"}
    if CUSTOMER in domestic.label.tail:
        names |= {"customer_key"}
    return CompiledLeg(
        leg=leg,
        store=store,
        purpose=campaign.purpose,
        templates=compiled,
        domestic=domestic,
        names=names,
    )


def warnings(leg: Leg, store: Store, campaign: Campaign) -> list[Problem]:
    """Return what stops nothing but should be looked at.

    Advertising words in an informational message, an invitation to install an app in an Alimtalk,
    public link shorteners, a title that a text message abroad does not have.
    """
    found = set(doubtful(leg, campaign, _said(leg, _sources(leg))))
    by_text = FAMILY[leg.channel] is Family.TEXT
    if by_text and leg.subject is not None and not is_korean(store):
        place = leg.places.get("subject", leg.places.get("channel", Place()))
        what = "text messages have no title outside Korea: this one is left out"
        found.add(Problem(place, what, warning=True))
    return sorted(found)


def _is_approved(leg: Leg) -> bool:
    """Say whether the text is a wording that Kakao knows, with ``#{name}``, and no template."""
    return FAMILY[leg.channel] is Family.KAKAO and leg.template is not None


def _sources(leg: Leg) -> dict[str, tuple[str, Place]]:
    """Return the templates by key, each with the place where it begins."""
    own = {"subject": leg.subject, "html": leg.html, "layout": leg.layout}
    if not _is_approved(leg):
        own = {"text": leg.text, **own}
    given = {key: (source, key) for key, source in own.items() if source is not None}
    given |= templates(leg)
    return {key: (source, leg.places.get(at, Place())) for key, (source, at) in given.items()}


def _problems(leg: Leg, sources: Mapping[str, tuple[str, Place]]) -> Iterator[Problem]:
    for key, (source, place) in sources.items():
        for each in problems(source, html=key in _HTML):
            yield Problem(line_of(place, each.line), each.what, each.hint)
    yield from unfounded(_said(leg, sources))
    if _is_approved(leg):
        at = leg.places.get("text", Place())
        if found := re.search(r"\{\{|\{%", leg.text):
            hint = "write #{name} as in the approved wording, and its value under variables"
            line = leg.text.count("\n", 0, found.start()) + 1
            what = f"`{found[0]}` has no place in an approved wording"
            yield Problem(line_of(at, line), what, hint)
        for name in sorted(set(placeholders(leg.text)) - leg.variables.keys()):
            what = f"`{variable(name)}` of the text has no value"
            hint = f"write it under variables: {name}: …"
            yield Problem(at, what, hint)


def _said(leg: Leg, sources: Mapping[str, tuple[str, Place]]) -> Mapping[str, tuple[str, Place]]:
    """Return the templates and the approved wording."""
    return {"text": (leg.text, leg.places.get("text", Place())), **sources}
