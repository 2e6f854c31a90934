"""What can a policy say of a family's tools?

A family's tools become the plain ``ToolSpec`` that controls know: everything is taken from what the
kit already knows of a tool, so that a family's author writes nothing twice.

Invariant: what is not declared is left empty; a policy that needs it is then refused, not guessed.
"""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from undersigned.controls.records import FieldType, ToolSpec
from undersigned.worlds.family import Family
from undersigned.worlds.kit.records import Record, Table
from undersigned.worlds.kit.tools import Tool

_TYPES: dict[type, FieldType] = {str: "string", int: "integer", bool: "boolean"}


def tool_specs(family: Family) -> tuple[ToolSpec, ...]:
    """Return a family's tools, the common ones included, as controls see them."""
    return tuple(tool_spec(tool) for tool in family.tools.values())


def tool_spec(tool: Tool) -> ToolSpec:
    """Return a tool as controls see it."""
    thing = tool.acts_on
    table, field = tool.sink
    written = _record_of(tool, table) if table else None
    amount = written.amount_field if written is not None else ""
    return ToolSpec(
        name=tool.name,
        kind=tool.kind,
        schema=tool.schema,
        resource=tool.resource,
        table=thing.table if thing is not None else "",
        fields=_fields(thing) if thing is not None else {},
        sink=_place(tool, field),
        amount=_place(tool, amount),
        currency=_place(tool, "currency") if amount else "",
        destination=tool.destination,
    )


def _place(tool: Tool, field: str) -> str:
    """Return where a field of what a tool writes comes from: an argument, or the thing acted on."""
    if field in tool.schema.get("properties", {}):
        return field
    thing = tool.acts_on
    return f"resource.{field}" if thing is not None and field in _fields(thing) else ""


def _record_of(tool: Tool, table: str) -> type[Record] | None:
    """Return the class of the records in a table of the world that a tool works on."""
    state = next(iter(get_type_hints(tool.run).values()))
    hint = get_type_hints(state).get(table)
    found = get_args(hint)[0] if get_origin(hint) is Table else None
    return found if isinstance(found, type) and issubclass(found, Record) else None


def _fields(record: type[Record]) -> dict[str, FieldType]:
    """Return the fields of a record that have one plain type. A text to be rendered is a string."""
    hints = get_type_hints(record)
    found = {}
    for name in record.__struct_fields__:
        kinds = [_TYPES[each] for each in _plain(hints[name]) if each in _TYPES]
        if len(kinds) == 1:
            found[name] = kinds[0]
    return found


def _plain(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Annotated:
        return _plain(get_args(hint)[0])
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
