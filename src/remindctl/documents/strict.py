"""The base of every model that is read from YAML, and how its checks read what the user wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from remindctl.documents.fields import Finding, all_wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic.config import JsonDict
    from pydantic_core import ErrorDetails


class Strict(BaseModel):
    """The base of everything that is read from YAML: unknown keys are problems, values are frozen.

    Attributes:
        refused_keys: keys that people may well write here → why they are refused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    refused_keys: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def across(cls, given: Mapping[str, Any], context: Mapping[str, Any]) -> Iterable[Finding]:
        """Say what is wrong with several keys together; asked also where single ones are wrong.

        Args:
            given: what the user wrote: texts, lists, groups and None, of any shape. Read it with
                :func:`pick` and :func:`each`.
            context: as :func:`parse` got it.
        """
        del given, context
        return ()

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(
        cls, given: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        written = isinstance(given, Mapping)
        found = tuple(cls.across(given, info.context or {})) if written else ()
        if not found:
            return handler(given)
        try:
            handler(given)
        except ValidationError as error:
            ours = InitErrorDetails(type=all_wrong(found), input=given)
            others = [_again(detail) for detail in error.errors(include_url=False)]
            raise ValidationError.from_exception_data(cls.__name__, [ours, *others]) from None
        raise all_wrong(found)


def one_of(*keys: str) -> JsonDict:
    """Return the piece of a JSON Schema that asks for exactly one of ``keys``."""
    return {"oneOf": [{"required": [key]} for key in keys]}


def pick(given: object, *keys: str | int) -> Any:
    """Return what stands under ``keys`` of something read from YAML, None where nothing does."""
    for key in keys:
        if isinstance(given, list) and isinstance(key, int):
            given = given[key] if key < len(given) else None
        else:
            given = given.get(key) if isinstance(given, Mapping) else None
    return given


def each(given: object, *keys: str | int) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the groups of the list under ``keys``, each with its position from 0."""
    found = pick(given, *keys)
    for number, entry in enumerate(found if isinstance(found, list) else ()):
        if isinstance(entry, Mapping):
            yield number, entry


def _again(detail: ErrorDetails) -> InitErrorDetails:
    """Make an error of pydantic's anew, so that it can be raised beside others."""
    context = detail.get("ctx", {})
    kind: str | PydanticCustomError = detail["type"]
    if kind in ("wrong", "value_error"):
        kind = PydanticCustomError(detail["type"], "{text}", {"text": detail["msg"], **context})
    return InitErrorDetails(type=kind, loc=detail["loc"], input=detail["input"], ctx=context)
