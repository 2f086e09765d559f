"""What every page that this program writes is made of: parts inside it, named by their hashes."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def environment(package: str, filters: Mapping[str, Callable[..., Any]]) -> Environment:
    """Make what fills a package's templates: values escaped, unknown names an error."""
    made = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= filters
    return made


def inline(package: str, name: str) -> Markup:
    """Read a style sheet or script from a package's templates, to go into a page as it is."""
    path = files(package).joinpath("templates", name)
    return Markup(path.read_text(encoding="utf-8"))  # noqa: S704 (our own file)


def source_hash(text: str) -> str:
    """Name an inline script or style as a content security policy does (CSP level 2)."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
