"""The page: each message drawn as the screen it will be read on, with its facts and filters.

Nothing in the page can reach the network and nothing in it runs but its own script, which its
content security policy names by hash. An e-mail's HTML stands in a frame of its own that may run
nothing; the frame inherits the policy, so that its pictures from the network stay away too.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from remindctl import __version__
from remindctl.model import FAMILY, Purpose
from remindctl.report.console import counted, number
from remindctl.report.preview import words
from remindctl.report.preview.pictures import pictures
from remindctl.report.self_contained import environment, inline, source_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remindctl.report.preview.shown import Preview, Shown

_PACKAGE = "remindctl.report.preview"
_ADDRESS = re.compile(r"""(https?://[^\s<>"']+)""")
# What a mail program starts from. Links in it lead nowhere: the frame may open nothing.
_MAIL_HEAD = (
    '<!doctype html><meta charset="utf-8">'
    '<meta http-equiv="x-dns-prefetch-control" content="off"><base target="_blank">'
    "<style>body{margin:14px;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}"
    "img{max-width:100%}</style>"
)


def to_html(previews: Sequence[Preview]) -> str:
    """Write the page; the same previews and image files give the same page."""
    templates = environment(
        _PACKAGE, {"counted": counted, "linked": linked, "local": local, "number": number}
    )
    messages = [shown for preview in previews for shown in preview.messages]
    paths = [str(one.extras["image"]) for one in messages if one.extras.get("image")]
    script = inline(_PACKAGE, "page.js")
    return templates.get_template("page.html.j2").render(
        channels=words.CHANNELS,
        choices=choices(messages),
        families=FAMILY,
        groups=[_groups(preview) for preview in previews],
        mail=_mail,
        pictures=pictures(paths),
        policy=_policy(script),
        previews=previews,
        advertising=Purpose.ADVERTISING,
        script=script,
        style=inline(_PACKAGE, "page.css"),
        total=len(messages),
        values=values,
        version=__version__,
        words=words,
    )


def _policy(script: str) -> str:
    # Styles stand in e-mails too. They can load nothing, as no other rule lets them.
    return (
        f"default-src 'none'; script-src {source_hash(script)}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def values(shown: Shown) -> dict[str, list[str]]:
    """Return what a message can be filtered by: name of the filter → its values."""
    return {
        "store": [shown.store.name],
        "step": [shown.step],
        "variant": [shown.variant] if shown.variant else [],
        "channel": [words.CHANNELS[shown.channel]],
        "segment": [shown.segment] if shown.segment else [],
        "label": list(shown.labels),
    }


def choices(messages: Sequence[Shown]) -> dict[str, Counter[str]]:
    """Count the messages of each value of each filter that tells some of them apart."""
    counts: dict[str, Counter[str]] = {}
    for shown in messages:
        for name, given in values(shown).items():
            counts.setdefault(name, Counter()).update(given)
    return {
        name: found
        for name, found in counts.items()
        if any(count < len(messages) for count in found.values())
    }


def linked(text: str) -> Markup:
    """Underline addresses as phones do, without making them lead anywhere."""
    parts = _ADDRESS.split(text)
    return Markup("").join(
        Markup("<u>{}</u>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def local(shown: Shown, pattern: str) -> str:
    """Write the due instant on the recipient's clock."""
    if shown.due_at is None:
        return ""
    return shown.due_at.astimezone(ZoneInfo(shown.zone)).strftime(pattern)


def _groups(preview: Preview) -> list[tuple[str, list[Shown]]]:
    """Gather the messages that can be sent by their steps."""
    steps: dict[str, list[Shown]] = {}
    for shown in preview.made:
        steps.setdefault(shown.step, []).append(shown)
    return list(steps.items())


def _mail(html: str) -> str:
    return _MAIL_HEAD + html
