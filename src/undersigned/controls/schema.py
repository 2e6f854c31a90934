"""What may a policy say of a tool, and does a call have the types that the policy was checked for?

A Cedar schema is made from each tool's JSON Schema: one action per tool, typed arguments, the
fields of the thing acted on, the facts. What cannot be mapped without loss is refused when the
policy is loaded (E-CTL-015), naming tool and argument.

Invariants:
- Cedar has no floats, no nulls, and integers of 64 bits: any other value is unfit, never rounded.
- JSON that Cedar would read as an entity or an extension (``__entity``, ``__extn``, ``__expr``)
  cannot pass: only declared names pass, and no declared name starts with ``__``.
- A list becomes a set: order and repetition are not visible to a policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NoReturn, get_args

import msgspec

from undersigned.controls.problems import TOOL_UNMAPPED
from undersigned.controls.records import CellStatus, FieldType, ToolSpec
from undersigned.core.errors import UsageError

INT_LOW, INT_HIGH = -(2**63), 2**63 - 1
"""Least and largest integer of Cedar."""
DEPTH_LIMIT = 8
"""Levels of nesting in an argument's schema that are mapped."""

Kind = Literal["string", "integer", "boolean", "set", "record"]


class Shape(msgspec.Struct, frozen=True):
    """The type of a value.

    kind: what it is. values: the only strings that it may be, empty for any. low, high: range of
    an integer. item: type of a set's members. fields: of a record. required: fields that must be
    there.
    """

    kind: Kind
    values: tuple[str, ...] = ()
    low: int = INT_LOW
    high: int = INT_HIGH
    item: Shape | None = None
    fields: Mapping[str, Shape] = {}
    required: tuple[str, ...] = ()

    def cedar(self) -> dict[str, object]:
        """Return the type as the JSON form of a Cedar schema has it."""
        if self.kind == "set" and self.item is not None:
            return {"type": "Set", "element": self.item.cedar()}
        if self.kind == "record":
            attributes = {
                name: {**shape.cedar(), "required": name in self.required}
                for name, shape in self.fields.items()
            }
            return {"type": "Record", "attributes": attributes}
        return {"type": {"string": "String", "integer": "Long"}.get(self.kind, "Boolean")}

    def only(self, names: frozenset[str]) -> Shape:
        """Return a record type with some of its fields."""
        fields = {name: shape for name, shape in self.fields.items() if name in names}
        return Shape(
            "record", fields=fields, required=tuple(n for n in self.required if n in names)
        )


_TEXT, _WHOLE, _TEXTS = Shape("string"), Shape("integer"), Shape("set", item=Shape("string"))

CELLS: tuple[str, ...] = get_args(CellStatus)
"""Values of the fact ``cell``."""

_FACTS: dict[str, Shape] = {
    "unvouched": _TEXTS,
    "crossing": _TEXTS,
    "after": _TEXTS,
    "total": _WHOLE,
    "calls": _WHOLE,
    "irreversible": _WHOLE,
    "cell": Shape("string", CELLS),
    "languages": _TEXTS,
    "oversight": _WHOLE,
}
FACTS = Shape("record", fields=_FACTS, required=tuple(_FACTS))
"""The facts that a policy may read."""

_BASIC: Mapping[FieldType, Shape] = {
    "string": _TEXT,
    "integer": _WHOLE,
    "boolean": Shape("boolean"),
}


def context_shape(spec: ToolSpec) -> Shape:
    """Return the type of the context of a tool's requests.

    Raises UsageError (E-CTL-015) when an argument or a field cannot be mapped.
    """
    fields = {"args": arguments_shape(spec), "facts": FACTS}
    if spec.table:
        for name in spec.fields:
            _check_name(spec.name, f"resource.{name}", name)
        thing = {name: _BASIC[kind] for name, kind in spec.fields.items()}
        fields["resource"] = Shape("record", fields=thing, required=tuple(thing))
    return Shape("record", fields=fields, required=tuple(fields))


def arguments_shape(spec: ToolSpec) -> Shape:
    """Return the type of a tool's arguments. Raises UsageError (E-CTL-015)."""
    shape = _shape(spec.name, "", spec.schema, 0)
    if shape.kind != "record":
        _refuse(spec.name, "", "the arguments are no object")
    if spec.resource and spec.resource not in shape.fields:
        _refuse(spec.name, spec.resource, "the resource is no argument")
    return shape


def cedar_schema(contexts: Mapping[str, Shape]) -> dict[str, object]:
    """Return the JSON form of a Cedar schema with one action per tool."""
    actions = {
        name: {
            "appliesTo": {
                "principalTypes": ["Agent"],
                "resourceTypes": ["Thing"],
                "context": shape.cedar(),
            }
        }
        for name, shape in sorted(contexts.items())
    }
    return {"": {"entityTypes": {"Agent": {}, "Thing": {}}, "actions": actions}}


def fit(shape: Shape, value: object) -> object:
    """Return a value as Cedar's JSON has it: optional nulls left out of records.

    Raises ValueError when the value does not have the type.
    """
    kind = shape.kind
    if kind == "string":
        if type(value) is not str or (shape.values and value not in shape.values):
            raise ValueError("not one of its strings")
        if not value.isascii():
            value.encode()  # a lone surrogate raises UnicodeEncodeError, which is a ValueError
        return value
    if kind == "integer":
        # WHY type(), not isinstance: True is an int to Python, and none to Cedar.
        if type(value) is not int or not shape.low <= value <= shape.high:
            raise ValueError("not an integer in range")
        return value
    if kind == "boolean":
        if type(value) is not bool:
            raise ValueError("not a boolean")
        return value
    if kind == "set":
        if type(value) not in (list, tuple) or shape.item is None:
            raise ValueError("not a list")
        return [fit(shape.item, each) for each in value]  # type: ignore[attr-defined]
    if not isinstance(value, Mapping):
        raise ValueError("not an object")  # noqa: TRY004 (one error for every unfit value)
    return fit_record(shape, value)


def fit_record(shape: Shape, value: Mapping[str, object]) -> dict[str, object]:
    """Return a record like ``fit``. Raises ValueError."""
    fields = shape.fields
    found: dict[str, object] = {}
    for name, item in value.items():
        inner = fields.get(name)
        if inner is None:
            raise ValueError("an unknown name")
        # WHY first: most arguments are this
        if type(item) is str and inner.kind == "string" and not inner.values and item.isascii():
            found[name] = item
        elif item is not None:
            found[name] = fit(inner, item)
    for name in shape.required:
        if name not in found:
            raise ValueError("a required name is missing")
    return found


def _shape(tool: str, path: str, schema: object, depth: int) -> Shape:
    if not isinstance(schema, Mapping) or depth > DEPTH_LIMIT:
        _refuse(tool, path, "no schema, or nested too deep")
    if "anyOf" in schema:
        options = [o for o in schema["anyOf"] if o != {"type": "null"}]
        if len(options) != 1 or len(options) == len(schema["anyOf"]):
            _refuse(tool, path, "it may be of several types")
        return _shape(tool, path, options[0], depth + 1)
    for word in ("$ref", "oneOf", "allOf", "not", "if", "const", "patternProperties"):
        if word in schema:
            _refuse(tool, path, f"its schema uses {word}")
    kind = schema.get("type")
    if kind is None and "enum" in schema:
        kind = "string"
    if kind == "string":
        return _string(tool, path, schema)
    if kind == "integer":
        return _integer(tool, path, schema)
    if kind == "boolean" and "enum" not in schema:
        return _BASIC["boolean"]
    if kind == "array":
        if "items" not in schema:
            _refuse(tool, path, "its members have no type")
        return Shape("set", item=_shape(tool, f"{path}[]", schema["items"], depth + 1))
    if kind == "object":
        return _record(tool, path, schema, depth)
    return _refuse(tool, path, f"its type is {kind!r}")


def _string(tool: str, path: str, schema: Mapping[str, Any]) -> Shape:
    values = schema.get("enum", [])
    if not all(isinstance(value, str) for value in values) or ("enum" in schema and not values):
        _refuse(tool, path, "its values are not all strings")
    return Shape("string", tuple(values))


def _integer(tool: str, path: str, schema: Mapping[str, Any]) -> Shape:
    low, high = schema.get("minimum", INT_LOW), schema.get("maximum", INT_HIGH)
    if "exclusiveMinimum" in schema:
        low = max(low, schema["exclusiveMinimum"] + 1)
    if "exclusiveMaximum" in schema:
        high = min(high, schema["exclusiveMaximum"] - 1)
    if type(low) is not int or type(high) is not int or "enum" in schema:
        _refuse(tool, path, "its range is not of integers")
    return Shape("integer", low=max(low, INT_LOW), high=min(high, INT_HIGH))


def _record(tool: str, path: str, schema: Mapping[str, Any], depth: int) -> Shape:
    properties = schema.get("properties")
    if properties is None and depth == 0:
        properties = {}
    if not isinstance(properties, Mapping) or isinstance(
        schema.get("additionalProperties", False), Mapping
    ):
        _refuse(tool, path, "its names are not declared")
    fields = {}
    for name, inner in properties.items():
        full = f"{path}.{name}" if path else str(name)
        _check_name(tool, full, name)
        fields[name] = _shape(tool, full, inner, depth + 1)
    required = tuple(schema.get("required", ()))
    if not set(required) <= set(fields):
        _refuse(tool, path, "a required name is not declared")
    return Shape("record", fields=fields, required=required)


def _check_name(tool: str, path: str, name: object) -> None:
    # INVARIANT: no declared name starts with "__", which Cedar's JSON reserves for its escapes.
    if not isinstance(name, str) or not name.isascii() or not name or name.startswith("__"):
        _refuse(tool, path, "its name is empty, not ASCII, or starts with __")


def _refuse(tool: str, argument: str, why: str) -> NoReturn:
    raise UsageError(
        TOOL_UNMAPPED,
        "a policy cannot speak of this tool",
        tool=tool,
        argument=argument,
        reason=why,
    )
