"""Campaign files → campaigns, every problem of every file at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.campaigns.build import build
from remindctl.campaigns.files import Folder
from remindctl.campaigns.names import Scope
from remindctl.campaigns.schema import CampaignFile
from remindctl.documents import decode, parse
from remindctl.errors import Place, Problem, Refused, refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from remindctl.model import Campaign

_SUFFIXES = (".yaml", ".yml")
_MOST_BYTES = 5_000_000


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
    campaigns, problems = read_campaigns(paths, extra)
    if problems:
        raise Refused(problems)
    return campaigns


def read_campaigns(
    paths: Sequence[Path], extra: Iterable[str] = ()
) -> tuple[tuple[Campaign, ...], list[Problem]]:
    """Read what can be read, as :func:`load_campaigns`, and say what is wrong with the rest."""
    problems: list[Problem] = []
    campaigns: list[Campaign] = []
    columns = tuple(extra)
    for path in _files(paths, problems):
        try:
            campaigns.append(_read(path, columns))
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
    return tuple(campaigns), problems


def _read(path: Path, extra: tuple[str, ...]) -> Campaign:
    if path.stat().st_size > _MOST_BYTES:
        raise refuse(f"the file is larger than {_MOST_BYTES // 1_000_000} MB", path=str(path))
    text = decode(path.read_bytes(), str(path))
    context = {"scope": Scope(extra), "folder": Folder(path.parent)}
    return build(parse(text, str(path), CampaignFile, context))


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
