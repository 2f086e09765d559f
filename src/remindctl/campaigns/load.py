"""Campaign files → campaigns, and what is wrong with a campaign once the stores are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.audience import problems as audience_problems
from remindctl.campaigns.schema import CampaignFile, context
from remindctl.documents import decode, did_you_mean, parse
from remindctl.errors import Place, Problem, Refused
from remindctl.model import Audience, Basis, Campaign, Due, Leg, Step, Variant
from remindctl.profiles import COLUMNS
from remindctl.render import NAMES, compile_leg

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from remindctl.campaigns.schema import StepEntry
    from remindctl.documents import Located
    from remindctl.model import Store

_SUFFIXES = (".yaml", ".yml")
# What a template may name: a customer's row as it stands when the plan is made.
_NAMES = {**dict.fromkeys(COLUMNS), "segment": None, "segments": None, **NAMES}


def load_campaigns(paths: Sequence[Path], extra: Iterable[str] = ()) -> tuple[Campaign, ...]:
    """Read campaigns from files, and from the YAML files of folders.

    Args:
        paths: files and folders; a file that is named twice is read once.
        extra: further columns of the stores' customer files, for conditions and templates.

    Returns:
        the campaigns in the order of ``paths``, those of a folder by file name.

    Raises:
        Refused: with every problem of every file.
    """
    problems: list[Problem] = []
    campaigns: list[Campaign] = []
    known = context(_NAMES, tuple(extra))
    for path in _files(paths, problems):
        try:
            text = decode(path.read_bytes(), str(path))
            campaigns.append(_campaign(parse(text, str(path), CampaignFile, known)))
        except OSError as error:
            problems.append(Problem(Place(str(path)), f"cannot be read: {error.strerror}"))
        except Refused as refused:
            problems.extend(refused.problems)
    first: dict[str, Campaign] = {}
    for campaign in campaigns:
        other = first.setdefault(campaign.name, campaign)
        if other is not campaign:
            what = f"the campaign `{campaign.name}` is in {other.place} as well"
            problems.append(Problem(campaign.place or Place(), what, "give one another name"))
    if problems:
        raise Refused(problems)
    return tuple(campaigns)


def problems(
    campaign: Campaign, stores: Mapping[str, Store], extra: Iterable[str] = ()
) -> list[Problem]:
    """Say what is wrong with a campaign for the stores it is meant for.

    Args:
        campaign: from :func:`load_campaigns`.
        stores: every store of the configuration, by key.
        extra: as for :func:`load_campaigns`.
    """
    start = campaign.place or Place()
    found = [
        Problem(
            campaign.places.get("stores", start),
            f"there is no store `{key}` in the configuration",
            did_you_mean(key, stores),
        )
        for key in campaign.stores
        if key not in stores
    ]
    chosen = [stores[key] for key in campaign.stores or stores if key in stores]
    legs = [leg for step in campaign.steps for leg in step.legs]
    for store in chosen:
        place = campaign.places.get("audience", start)
        found += audience_problems(campaign.audience, store.segments, place, tuple(extra))
        for leg in legs:
            try:
                compile_leg(leg, store, campaign.purpose)
            except Refused as refused:
                at = leg.places.get("channel", start)
                found += [
                    problem if problem.place.path else Problem(at, problem.what, problem.hint)
                    for problem in refused.problems
                ]
    return sorted(set(found))


def _files(paths: Sequence[Path], problems: list[Problem]) -> Iterable[Path]:
    seen: set[Path] = set()
    for path in paths:
        inside = sorted(each for each in path.glob("*") if each.suffix in _SUFFIXES)
        if path.is_dir() and not inside:
            hint = "campaigns are files that end in .yaml"
            problems.append(Problem(Place(str(path)), "there is no campaign in this folder", hint))
        elif not path.exists():
            problems.append(Problem(Place(str(path)), "there is no such file or folder"))
        for file in inside if path.is_dir() else [path] if path.exists() else []:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _campaign(found: Located[CampaignFile]) -> Campaign:
    file = found.value
    return Campaign(
        name=file.campaign,
        purpose=file.purpose,
        steps=tuple(_step(number, step, found) for number, step in enumerate(file.steps)),
        basis=Basis(file.basis) if file.basis else None,
        stores=file.stores,
        tags=file.tags,
        priority=file.priority,
        counts_for_caps=file.counts_for_caps,
        audience=Audience(**file.audience.model_dump()),
        control=file.control,
        reentry=file.reentry,
        place=found.key_place("campaign"),
        places={key: found.key_place(key) for key in ("stores", "audience")},
    )


def _step(number: int, step: StepEntry, found: Located[CampaignFile]) -> Step:
    legs = tuple(
        Leg(
            channel=leg.channel,
            text=leg.text,
            subject=leg.subject,
            html=leg.html,
            places={
                key: found.place("steps", number, "send", position, key)
                for key in leg.model_fields_set
            },
        )
        for position, leg in enumerate(step.send)
    )
    due = {name: getattr(step.due, name) for name in type(step.due).model_fields}
    variants = (Variant(legs=legs),)
    return Step(
        id=step.id, due=Due(**due), variants=variants, fallback_within=step.fallback_within
    )
