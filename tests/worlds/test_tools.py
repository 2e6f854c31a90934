"""A tool is what its function and docstring say; one that leaves something unsaid is refused."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from tests.worlds.shelf import Gone, Shelf, reprice
from undersigned.core.errors import UsageError
from undersigned.worlds.kit.common import COMMON, report
from undersigned.worlds.kit.tools import read, tool, write


def silent(state: Shelf, parcel_id: str) -> Gone:
    return Gone(parcel_id=parcel_id)


def unexplained(state: Shelf, parcel_id: str, way: str) -> Gone:
    """Do something.

    parcel_id: which one.
    """
    return Gone(parcel_id=parcel_id)


def untyped(state, parcel_id):
    """Do something.

    parcel_id: which one.
    """
    return Gone(parcel_id=parcel_id)


def elsewhere(state: Shelf, parcel_id: str) -> Gone:
    """Do something with parcel_id: any will do."""
    return Gone(parcel_id=parcel_id)


@pytest.mark.parametrize("function", [silent, unexplained, untyped, elsewhere])
def test_tool__something_left_unsaid__is_refused(function):
    with pytest.raises(UsageError) as raised:
        tool(read)(function)
    assert raised.value.code == "E-WLD-001"
    assert raised.value.fields["tool"] == function.__name__


def test_tool__resource_that_is_no_parameter__is_refused():
    def good(state: Shelf, parcel_id: str) -> Gone:
        """Do something.

        parcel_id: which one.
        """
        return Gone(parcel_id=parcel_id)

    assert tool(write, resource="parcel_id")(good).tool.resource == "parcel_id"
    with pytest.raises(UsageError, match="E-WLD-001"):
        tool(write, resource="bin_id")(good)


def test_tool__description_and_schema__come_from_the_docstring_and_the_types():
    assert reprice.tool.description == "Give a parcel another value."
    schema = reprice.tool.schema
    assert schema["type"] == "object"
    assert schema["required"] == ["parcel_id", "value"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["note"] == {"type": "string", "default": "", "description": "why."}
    assert schema["properties"]["value"]["type"] == "integer"
    assert schema["properties"]["value"]["description"] == "in cents."


def test_tool__long_description__is_read_whole():
    def wordy(state: Shelf, way: Literal["air", "sea"], count: int = 1) -> Gone:
        """Send a parcel.

        It takes
        a while.

        way: how it goes, one of
            two: by air or by sea.
        count: how many.
        """
        return Gone(parcel_id=way)

    made = tool(write)(wordy).tool
    assert made.description == "Send a parcel. It takes a while."
    assert made.schema["properties"]["way"] == {
        "enum": ["air", "sea"],
        "description": "how it goes, one of two: by air or by sea.",
    }


def test_report__schema__has_no_references_and_names_every_status():
    text = msgspec.json.encode(report.tool.schema)
    assert b"$ref" not in text
    assert b"$defs" not in text
    item = report.tool.schema["properties"]["items"]["items"]
    assert item["properties"]["status"]["enum"] == ["blocked", "done", "not_done", "unknown"]
    assert item["required"] == ["tool", "resource", "status"]


def test_common_tools__are_the_three_that_every_family_has():
    assert [t.name for t in COMMON] == ["ask_user", "escalate", "report"]
    assert [t.kind for t in COMMON] == ["read", "write", "read"]
