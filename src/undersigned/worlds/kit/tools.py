"""What can an agent do in a world, and what does it need to be told about it?

A tool is a typed function with a docstring; its schema is made from both, and a tool without
them is refused. The author declares only what cannot be seen: its class, which field of what it
writes is the sink, which argument names the resource, and how to look up whether a call whose
answer was lost had happened.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, get_type_hints

import msgspec

from undersigned.core.errors import UsageError
from undersigned.worlds.kit.records import Receipt, Record, World
from undersigned.worlds.problems import BAD_FAMILY

ToolClass = Literal["read", "write", "irreversible"]
"""``read`` changes nothing; ``write`` can be taken back by an offered tool or has no outside
effect yet; ``irreversible`` cannot be taken back."""

read: ToolClass = "read"
write: ToolClass = "write"
irreversible: ToolClass = "irreversible"


class Change(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What a writing tool returns: the world after the call, and what the agent sees of it."""

    state: World
    result: Receipt


class Lookup(NamedTuple):
    """How to find out whether a call whose answer was lost had happened.

    tool: a reading tool. args: its arguments, from those of the lost call. found: the lost call's
    result as read from the look-up's result, or None when the call had not happened.
    """

    tool: str
    args: Callable[[Mapping[str, object]], dict[str, object]]
    found: Callable[[Mapping[str, object], Mapping[str, Any]], dict[str, Any] | None]


class Tool(msgspec.Struct, frozen=True, eq=False):
    """A tool as the kit runs it.

    name: as the agent calls it. kind: its class. run: the function. arguments: struct type that
    argument objects are converted to, strictly. description, schema: what the agent is told.
    sink: (table, field) of a written record that says where it goes, or empty. resource: argument
    that names the thing acted on, or empty. lookup: see ``Lookup``. acts_on: class of the records
    that the resource names, None when it names no record. destination: argument that names the
    country it goes to, or empty.
    """

    name: str
    kind: ToolClass
    run: Callable[..., Change | Receipt]
    arguments: type[msgspec.Struct]
    description: str
    schema: dict[str, Any]
    sink: tuple[str, str]
    resource: str
    lookup: Lookup | None
    acts_on: type[Record] | None = None
    destination: str = ""


class ToolFunction:
    """A tool in the hand of an author: name it in ``call(...)``; calling it runs the function."""

    def __init__(self, tool: Tool) -> None:
        """Wrap a tool."""
        self.tool = tool
        self.name = tool.name

    def __call__(self, *args: Any, **kwargs: Any) -> Change | Receipt:
        """Run the function itself, for tests and for other tools."""
        return self.tool.run(*args, **kwargs)


def tool(
    kind: ToolClass,
    *,
    sink: str = "",
    resource: str = "",
    lookup: Lookup | None = None,
    acts_on: type[Record] | None = None,
    destination: str = "",
) -> Callable[[Callable[..., Change | Receipt]], ToolFunction]:
    """Make a tool of a typed function with a docstring.

    kind: its class. sink: ``table.field`` of the written record that says where it goes.
    resource: parameter that names the thing acted on. acts_on, destination: see ``Tool``. Raises
    UsageError (E-WLD-001) when the docstring, a parameter's description or an annotation is
    missing.
    """

    def make(run: Callable[..., Change | Receipt]) -> ToolFunction:
        name = run.__name__
        hints = get_type_hints(run, include_extras=True)
        parameters = list(inspect.signature(run).parameters.values())[1:]
        description, notes = _read_docstring(run, name)
        fields: list[Any] = []
        for parameter in parameters:
            if parameter.name not in notes or parameter.name not in hints:
                raise UsageError(
                    BAD_FAMILY,
                    "a tool's parameter lacks a description or a type",
                    tool=name,
                    parameter=parameter.name,
                )
            hint = hints[parameter.name]
            optional = parameter.default is not inspect.Parameter.empty
            field_of = (parameter.name, hint)
            fields.append((*field_of, parameter.default) if optional else field_of)
        arguments = msgspec.defstruct(
            f"{name}_arguments", fields, frozen=True, forbid_unknown_fields=True
        )
        for given in (resource, destination):
            if given and given not in notes:
                raise UsageError(
                    BAD_FAMILY, "a tool's resource is no parameter", tool=name, resource=given
                )
        table, _, field = sink.partition(".")
        schema = _schema(arguments, notes)
        return ToolFunction(
            Tool(
                name,
                kind,
                run,
                arguments,
                description,
                schema,
                (table, field),
                resource,
                lookup,
                acts_on,
                destination,
            )
        )

    return make


def _read_docstring(run: Callable[..., object], name: str) -> tuple[str, dict[str, str]]:
    text = inspect.getdoc(run)
    if not text:
        raise UsageError(BAD_FAMILY, "a tool has no docstring", tool=name)
    parts = text.split("\n\n")
    notes: dict[str, str] = {}
    prose = []
    names = set(inspect.signature(run).parameters)
    for part in parts:
        lines = part.splitlines()
        if lines and lines[0].split(":")[0] in names:
            current = ""
            for line in lines:
                head, colon, rest = line.partition(":")
                if colon and head in names:
                    current = head
                    notes[current] = rest.strip()
                else:
                    notes[current] += " " + line.strip()
        else:
            prose.append(" ".join(lines))
    return " ".join(prose), notes


_TYPES: dict[type, str] = {str: "string", int: "integer", bool: "boolean"}


def _schema(arguments: type[msgspec.Struct], notes: Mapping[str, str]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12 subset that chat endpoints accept) of the arguments."""
    raw = msgspec.json.schema(arguments)
    definitions = raw.get("$defs", {})

    def inline(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return inline(definitions[node["$ref"].rsplit("/", 1)[1]])
            return {k: inline(v) for k, v in node.items() if k not in ("title", "$defs")}
        return [inline(item) for item in node] if isinstance(node, list) else node

    schema: dict[str, Any] = inline(raw)
    for name, note in notes.items():
        if name in schema.get("properties", {}):
            schema["properties"][name]["description"] = note
    schema["additionalProperties"] = False
    return schema
