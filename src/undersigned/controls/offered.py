"""What is the same about the offered tools in every episode?

Read once of the tools' specifications and kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

import msgspec

from undersigned.controls.problems import BAD_FACT_SETTINGS
from undersigned.controls.records import ToolSpec
from undersigned.core.errors import UsageError


class Offered(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A tool. sink: name of the field that its sink is in. carries: its arguments may leave the
    house."""

    spec: ToolSpec
    sink: str
    carries: bool


class Offer(msgspec.Struct, frozen=True, eq=False, gc=False):
    """All tools, by name. sinks: fields that say where something goes. listed: names of tools and
    values that their schemas list, which the house has said by offering them."""

    tools: Mapping[str, Offered]
    sinks: frozenset[str]
    listed: frozenset[str]


@lru_cache(maxsize=64)
def read_offer(specs: tuple[ToolSpec, ...]) -> Offer:
    """Read the specifications. Raises UsageError (E-CTL-030) for two tools of one name."""
    tools: dict[str, Offered] = {}
    listed: set[str] = set()
    for spec in specs:
        if spec.name in tools:
            raise UsageError(BAD_FACT_SETTINGS, "two tools have one name", tool=spec.name)
        carries = spec.kind == "irreversible" or bool(spec.destination)
        tools[spec.name] = Offered(spec, spec.sink.rpartition(".")[2], carries)
        listed.update(_listed(spec.schema))
    sinks = frozenset([tool.sink for tool in tools.values() if tool.sink])
    return Offer(tools, sinks, frozenset([*listed, *tools]))


def _listed(schema: object) -> Iterator[str]:
    """Yield the strings that a schema lists as the only ones allowed."""
    if not isinstance(schema, Mapping):
        return
    yield from [each for each in schema.get("enum", ()) if isinstance(each, str)]
    yield from _listed(schema.get("items"))
    for inner in schema.get("properties", {}).values():
        yield from _listed(inner)


def value_at(path: str, args: Mapping[str, object], resource: Mapping[str, object]) -> object:
    """Return an argument or, behind ``resource.``, a field; None when there is none."""
    if path.startswith("resource."):
        return resource.get(path[9:])
    return args.get(path) if path else None
