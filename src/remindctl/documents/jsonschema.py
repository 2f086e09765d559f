"""A model → its JSON Schema, by which an editor completes, explains and checks the YAML file.

The schema says what stands in our docstrings: of each model, and under ``Attributes:`` of each key.
It takes what the program takes, as an editor sees it: to an editor a plain ``0212345678`` is a
number, to us it is the text the user wrote.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

from remindctl.model import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

_ATTRIBUTES = re.compile(r"^Attributes:\n((?:    .*\n?|\n)+)", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^    (\w+): ((?:.*\n?(?:        .*\n?|\n)*))", re.MULTILINE)


def json_schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the files that ``model`` reads."""
    schema = model.model_json_schema(schema_generator=_Explained)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": title}


class _Explained(GenerateJsonSchema):
    """Adds what docstrings say, and takes plain scalars where text is meant."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        found = super().model_schema(schema)
        summary, attributes = _explained(schema["cls"])
        found["description"] = summary
        for key, value in found.get("properties", {}).items():
            if key in attributes:
                value["description"] = attributes[key]
        return found

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        return {**super().str_schema(schema), "type": ["string", "number", "boolean"]}

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        return {"anyOf": [super().bool_schema(schema), {"enum": ["yes", "no", "on", "off"]}]}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Ask for a value after each key: what may be null is left out instead."""
        return self.generate_inner(schema["schema"])

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        number: JsonSchemaValue = super().decimal_schema(schema)["anyOf"][0]
        return number

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        found = super().dict_schema(schema)
        return {**found, "additionalProperties": False} if "patternProperties" in found else found

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Tell a default as the user would write it, or not at all."""
        found, default = super().default_schema(schema), schema.get("default")
        found.pop("default", None)
        if isinstance(default, Span):
            found["default"] = str(default)
        elif isinstance(default, str | int) and default != "":
            found["default"] = default
        return found

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


def _explained(model: type[BaseModel]) -> tuple[str, Mapping[str, str]]:
    """Read a docstring: its summary, and what it says of each attribute."""
    text = inspect.cleandoc(model.__doc__ or "") + "\n"
    listed = _ATTRIBUTES.search(text)
    attributes = _ATTRIBUTE.findall(listed[1]) if listed else []
    summary = _ATTRIBUTES.sub("", text).strip()
    return summary, {name: " ".join(said.replace("``", "`").split()) for name, said in attributes}
