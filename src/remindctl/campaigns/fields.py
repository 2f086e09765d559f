"""Values of a campaign file: anchors, waits, templates, and what stands in files of their own."""

# No `from __future__ import annotations` here: pydantic reads these annotations as they run.
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, PlainValidator, ValidationInfo, WithJsonSchema

from remindctl.audience import FACTS
from remindctl.campaigns.files import ImageFile, TextFile
from remindctl.documents import Finding, all_wrong, did_you_mean, span, wrong
from remindctl.errors import Place
from remindctl.model import Span, Statistic
from remindctl.render import template_problems
from remindctl.segments import problems as condition_problems

# Mail programs cut longer pages off; no other message comes near.
MAX_CHARACTERS = 100_000

QUANTILES = ("p25", "median", "p75", "p90")
STATISTICS = (
    *(f"{curve}.{quantile}" for curve in ("cycle", "product_cycle") for quantile in QUANTILES),
    "customer_cycle",
)
_WORD = re.compile(r"[A-Za-z0-9가-힣_.-]{1,64}")
_BODY = re.compile(r"\{\{-?\s*body\s*(\||-?\}\})")


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        hint = "an anchor, or the name of an event or date column: A-Z a-z 0-9 가-힣 _ . -"
        raise wrong(f"{text!r} is not a usable name", hint)
    return text


def _wait(given: object) -> Span | Statistic:
    if isinstance(given, str) and re.match("[a-z]", given):
        if given not in STATISTICS:
            hint = did_you_mean(given, STATISTICS)
            raise wrong(f"there is no statistic {given!r}", hint)
        of, _, quantile = given.partition(".")
        return Statistic(of, quantile or "median")
    return span(given)


def _wrong_with(
    source: str, info: ValidationInfo, *, html: bool = False, **more: None
) -> Iterator[Finding]:
    scope = (info.context or {}).get("scope")
    known = {**scope.names, **more} if scope else None
    for line, what, hint in template_problems(source, known, html=html):
        yield Finding(what, hint, line=line)


def _some(text: str) -> str:
    if not text.strip():
        raise wrong("has no text")
    if len(text) > MAX_CHARACTERS:
        raise wrong(f"is longer than {MAX_CHARACTERS:,} characters, more than a message holds")
    return text


def _template(text: str, info: ValidationInfo) -> str:
    if found := list(_wrong_with(text, info)):
        raise all_wrong(found)
    return text


def _html(text: str, info: ValidationInfo) -> str:
    if found := list(_wrong_with(text, info, html=True)):
        raise all_wrong(found)
    return text


def _read(given: object, info: ValidationInfo, *, html: bool = False, **more: None) -> TextFile:
    file: TextFile = (info.context or {})["folder"].text(_file_name(given))
    _some(file.text)
    if found := list(_wrong_with(file.text, info, html=html, **more)):
        raise all_wrong(replace(each, elsewhere=Place(file.shown, each.line)) for each in found)
    return file


def _text_file(given: object, info: ValidationInfo) -> TextFile:
    return _read(given, info)


def _html_file(given: object, info: ValidationInfo) -> TextFile:
    return _read(given, info, html=True)


def _layout_file(given: object, info: ValidationInfo) -> TextFile:
    file = _read(given, info, html=True, body=None)
    if not _BODY.search(file.text):
        raise wrong(f"{given} has no place for the message", "write {{ body }} where it belongs")
    return file


def _image_file(given: object, info: ValidationInfo) -> ImageFile:
    found: ImageFile = (info.context or {})["folder"].image(_file_name(given))
    return found


def _file_name(given: object) -> str:
    if not isinstance(given, str) or not given.strip():
        raise wrong("must be the name of a file", "relative to the campaign's folder")
    return given


def _fixed(text: str) -> str:
    if not text.strip() or len(text.splitlines()) > 1:
        raise wrong("must be one line of text")
    if "{{" in text or "{%" in text or "#{" in text:
        raise wrong("is the same for everyone: it takes no variables")
    return text.strip()


def _fact(text: str) -> str:
    if text not in FACTS:
        raise wrong(f"there is no fact {text!r}", did_you_mean(text, FACTS))
    return text


def _condition(text: str, info: ValidationInfo) -> str:
    scope = (info.context or {}).get("scope")
    found = condition_problems(text, Place(), scope.extra if scope else ())
    if found:
        raise all_wrong(Finding(each.what, each.hint) for each in found)
    return text


AnchorField = Annotated[str, AfterValidator(_word)]
WaitField = Annotated[
    Span | Statistic,
    PlainValidator(_wait),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "enum": list(STATISTICS)},
                {"type": "string", "pattern": r"^-?\s*(\d+\s*[wdhms]\s*)+$"},
            ]
        }
    ),
]
FactName = Annotated[
    str, AfterValidator(_fact), WithJsonSchema({"type": "string", "enum": list(FACTS)})
]
FixedText = Annotated[str, AfterValidator(_fixed)]
SomeText = Annotated[str, AfterValidator(_some)]
TemplateText = Annotated[SomeText, AfterValidator(_template)]
HtmlText = Annotated[SomeText, AfterValidator(_html)]
TemplateFile = Annotated[TextFile, PlainValidator(_text_file, json_schema_input_type=str)]
HtmlFile = Annotated[TextFile, PlainValidator(_html_file, json_schema_input_type=str)]
LayoutFile = Annotated[TextFile, PlainValidator(_layout_file, json_schema_input_type=str)]
ImagePath = Annotated[ImageFile, PlainValidator(_image_file, json_schema_input_type=str)]
ConditionText = Annotated[str, AfterValidator(_condition)]
