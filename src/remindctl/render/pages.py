"""HTML out of plain text, for e-mails that have a layout and no HTML of their own."""

from __future__ import annotations

import re
from html import escape

_LINK = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,:;!?)\]]")


def as_html(text: str) -> str:
    """Write a text as paragraphs, its line breaks kept and its addresses as links."""
    paragraphs = (part for part in re.split(r"\n\n+", text) if part.strip())
    return "\n".join(f"<p>{_linked(part).replace(chr(10), '<br>')}</p>" for part in paragraphs)


def _linked(text: str) -> str:
    pieces, end = [], 0
    for link in _LINK.finditer(text):
        url = escape(link[0])
        pieces += [escape(text[end : link.start()]), f'<a href="{url}">{url}</a>']
        end = link.end()
    return "".join([*pieces, escape(text[end:])])
