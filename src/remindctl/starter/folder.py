"""Every file of a new store folder, as text: path inside the folder → what stands in it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from remindctl.starter.configuration import bare, configuration, on_one_line
from remindctl.starter.templates import fill, template

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from remindctl.starter.collection import Library, Piece
    from remindctl.starter.facts import Facts

_EDITOR = "# yaml-language-server: $schema="
_EXAMPLE = "winback.yaml"
_LATER = (
    "In `later/`, until you move one here, with its picture and one `../` less in its first line:"
)


@dataclass(frozen=True, slots=True)
class Program:
    """Where things are on this machine, for what starts the program from outside.

    Attributes:
        folder: the store folder, absolute.
        words: the program, as words of a command.
    """

    folder: str
    words: tuple[str, ...]


def folder(
    facts: Facts,
    library: Library,
    schemas: Mapping[str, str],
    program: Program,
    *,
    served: Collection[str],
) -> dict[str, bytes]:
    """Write all files of a store folder.

    Args:
        facts: the shop's.
        library: what it gets of the campaign library.
        schemas: kind of file → its JSON Schema.
        program: for cron and systemd.
        served: provider types that this version sends through.

    Returns:
        Path with slashes → content, the configuration first.
    """
    pools = _pools(library)
    texts = {"remindctl.yaml": configuration(facts, served=served, pools=bool(pools))}
    assets: dict[str, bytes] = {}
    for piece in library.pieces.values():
        inside = "campaigns/later" if piece.file in library.later else "campaigns"
        texts[f"{inside}/{piece.file}"] = _campaign(piece, facts.key, inside.count("/") + 1)
        assets |= {f"{inside}/{name}": data for name, data in piece.assets.items()}
    texts["campaigns/README.md"] = _campaigns_page(library)
    texts |= {f"coupons/{pool}.csv": "code,valid_until\n" for pool in pools}
    texts["coupons/README.md"] = fill(template("coupons.md"), {"pools": _pools_table(pools)})
    downloads = template("downloads-KR.md" if facts.country == "KR" else "downloads.md")
    texts["exports/README.md"] = fill(template("exports.md"), {"downloads": downloads.rstrip()})
    texts |= {f"schemas/{kind}.json": text for kind, text in schemas.items()}
    texts[".env.example"] = fill(
        template("env.example"), {"variables": _variables(texts["remindctl.yaml"])}
    )
    texts[".gitignore"] = template("gitignore")
    soon = [f"campaigns/{piece.file}" for piece in library.active if piece.soon]
    texts["cron.txt"] = _cron(facts, program, soon)
    texts |= _systemd(facts, program, soon)
    return {path: text.encode() for path, text in texts.items()} | assets


def _campaign(piece: Piece, key: str, depth: int) -> str:
    """Turn a file of the library into the shop's own."""
    text = re.sub(r"^stores: \[.*\]$", f"stores: [{bare(key)}]", piece.text, flags=re.MULTILINE)
    schema = f"{_EDITOR}{'../' * depth}schemas/campaign.json"
    return re.sub(f"^{re.escape(_EDITOR)}.*$", schema, text, count=1, flags=re.MULTILINE)


def _campaigns_page(library: Library) -> str:
    active = ["| file | what it is |", "| --- | --- |"]
    active += [f"| [{one.file}]({one.file}) | {one.title} |" for one in library.active]
    later = []
    if library.later:
        later = [_LATER, "", "| file | what it is | why there |"]
        later += ["| --- | --- | --- |"]
        later += [
            f"| [{name}](later/{name}) | {library.pieces[name].title} | {why} |"
            for name, why in library.later.items()
        ]
    files = [one.file for one in library.active]
    example = _EXAMPLE if _EXAMPLE in files else files[0]
    parts = {"example": example, "active": "\n".join(active), "later": "\n".join(later)}
    return fill(template("campaigns.md"), parts).rstrip() + "\n"


def _pools(library: Library) -> dict[str, list[str]]:
    """Return each coupon pool with the files that give from it."""
    pools: dict[str, list[str]] = {}
    for piece in library.active:
        for pool in piece.pools:
            pools.setdefault(pool, []).append(piece.file)
    return pools


def _pools_table(pools: Mapping[str, Sequence[str]]) -> str:
    if not pools:
        return (
            "No campaign here gives codes yet. When one does (`coupon: {pool: NAME}`), take the #\n"
            "from `coupons:` under `sources` in remindctl.yaml."
        )
    rows = ["| pool | given by |", "| --- | --- |"]
    rows += [f"| [{pool}.csv]({pool}.csv) | {', '.join(files)} |" for pool, files in pools.items()]
    last = "\nWithout codes for a pool, move these campaigns to `campaigns/later/`."
    return "\n".join([*rows, last])


def _variables(config: str) -> str:
    """List the variables that a configuration reads, those of comments as comments."""
    found: dict[str, bool] = {}
    for line in config.splitlines():
        for name in re.findall(r"\$\{([A-Z_]+)\}", line):
            if name != "NAME":
                found[name] = found.get(name, False) or not line.lstrip().startswith("#")
    return "\n".join(f"{name}=" if used else f"# {name}=" for name, used in found.items())


def _cron(facts: Facts, program: Program, soon: Sequence[str]) -> str:
    def line(paths: Sequence[str]) -> str:
        words = [*program.words, "run", *paths]
        command = (
            f"cd {shlex.quote(program.folder)} && "
            f"{{ [ ! -f .env ] || {{ set -a; . ./.env; set +a; }}; }} && {shlex.join(words)}"
        )
        return command.replace("%", r"\%")  # to cron, a bare one ends the line

    often = fill(template("cron-often"), {"often": line(soon)}).rstrip() if soon else ""
    parts = {"timezone": facts.timezone, "daily": line(["campaigns"]), "often": often}
    return fill(template("cron.txt"), parts).rstrip() + "\n"


def _systemd(facts: Facts, program: Program, soon: Sequence[str]) -> dict[str, str]:
    jobs = [
        ("remindctl", "every day at 16:05", f"*-*-* 16:05 {facts.timezone}", ["campaigns"], "true")
    ]
    if soon:
        often = f"*-*-* *:00/10 {facts.timezone}"
        jobs.append(("remindctl-often", "every ten minutes", often, [*soon], "false"))
    units = {}
    for unit, when, calendar, paths, persistent in jobs:
        parts = {
            "files": f"systemd/{unit}.*",
            "unit": unit,
            "timer": f"{unit}.timer",
            "what": f"{on_one_line(facts.name).replace('%', '%%')}: {when}",
            "directory": program.folder.replace("%", "%%"),
            "command": " ".join(_unit_word(word) for word in (*program.words, "run", *paths)),
            "calendar": calendar,
            "persistent": persistent,
        }
        units[f"systemd/{unit}.service"] = fill(template("service"), parts)
        units[f"systemd/{unit}.timer"] = fill(template("timer"), parts)
    return units


def _unit_word(word: str) -> str:
    """Quote a word as systemd reads it (systemd.service(5), Command lines)."""
    if re.fullmatch(r"[\w@+=:,./-]+", word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped.replace("%", "%%").replace("$", "$$")}"'
