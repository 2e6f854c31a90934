"""What does a labelled JSON result say, and to whom does it matter?

A result is walked once. Each part takes the label of its own path, or else of what holds it.

Invariants:
- Only what is labelled ``record``, of the tenant itself or of nobody, may vouch.
- Of a result, ``after`` may speak only of its own short fields that are records, and not of
  personal or confidential ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from undersigned.controls.crossing import Labelled
from undersigned.controls.languages_seen import Entered
from undersigned.controls.said import Said
from undersigned.events.stream import Label

OUTSIDE: Final = frozenset({"user", "third_party", "tool_metadata", "memory", "peer"})
"""Provenances of what enters from outside the house."""

SHORT: Final = 64
"""Characters of a result's field that ``after`` speaks of."""

Seen = dict[str, list[tuple[str, Mapping[str, Any]]]]
"""What is known of each record, by id, in order of events: its table, when that is known, and
fields with their values."""


class Reading:
    """What results are read into."""

    __slots__ = ("entered", "labelled", "said", "seen", "tenant")

    def __init__(self, said: Said, tenant: str) -> None:
        """Start with nothing read. said: takes what vouches. tenant: whose house it is."""
        self.said = said
        self.tenant = tenant
        self.labelled = Labelled()
        self.entered = Entered()
        self.seen: Seen = {}

    def add_known(self, record: str, table: str, fields: Mapping[str, Any]) -> None:
        """Take what is known of a record. table: its table, or empty when that is not known."""
        self.seen.setdefault(record, []).append((table, fields))

    def read(self, at: int, value: object, labels: tuple[Label, ...], *, is_answer: bool) -> None:
        """Take a result. at: its event. labels: the first is of the whole. is_answer: its records
        are a person's own words."""
        parts = {each.path: each for each in labels} if len(labels) > 1 else {}
        _Walk(self, at, parts, is_answer).walk(value, "", labels[0], "", "", "")


class _Walk:
    """One result that is being read."""

    __slots__ = ("at", "is_answer", "parts", "to")

    def __init__(self, to: Reading, at: int, parts: dict[str, Label], is_answer: bool) -> None:
        self.to = to
        self.at = at
        self.parts = parts
        self.is_answer = is_answer

    def walk(
        self, value: object, path: str, label: Label, field: str, record: str, currency: str
    ) -> None:
        """Take a part. field: its name. record, currency: of the record that holds it."""
        kind = type(value)
        if kind is dict:
            self._object(value, path, label)  # type: ignore[arg-type]
        elif isinstance(value, list):
            for number, each in enumerate(value):
                inner = f"{path}.{number}" if path else str(number)
                self.walk(each, inner, self.parts.get(inner, label), field, record, currency)
        elif kind is str:
            if value:
                self._string(value, label, field, record)  # type: ignore[arg-type]
        elif kind is int and label.provenance == "record":
            self.to.said.add_integer(self.at, value, currency, record)  # type: ignore[arg-type]

    def _object(self, value: dict[str, Any], path: str, label: Label) -> None:
        parts, to = self.parts, self.to
        prefix = path + "." if path else ""
        record = value.get("id", "")
        currency = value.get("currency", "")
        if type(record) is not str or parts.get(prefix + "id", label).provenance != "record":
            record = ""
        if type(currency) is not str:
            currency = ""
        hidden: set[str] = set()
        # WHY apart: most of what is read are strings under the label of their record
        is_usual = (
            label.provenance == "record"
            and not label.data_class
            and not self.is_answer
            and (not label.tenant or label.tenant == to.tenant)
        )
        if is_usual and not parts:
            usual = [(k, v) for k, v in value.items() if type(v) is str and v]
            for field, each in value.items():
                if type(each) is not str:
                    self.walk(each, prefix + field, label, field, record, currency)
        else:
            usual = []
            for field, each in value.items():
                mine = parts.get(prefix + field, label)
                if mine.provenance != "record":
                    hidden.add(field)
                if type(each) is not str:
                    self.walk(each, prefix + field, mine, field, record, currency)
                elif each and mine is label and is_usual:
                    usual.append((field, each))
                elif each:
                    self._string(each, mine, field, record)
        if usual:
            to.said.add_strings(self.at, usual, record)
        if record:
            known = {k: v for k, v in value.items() if k not in hidden} if hidden else value
            to.add_known(record, "", known)

    def _string(self, value: str, label: Label, field: str, record: str) -> None:
        to = self.to
        provenance = label.provenance
        if provenance == "record":
            owner = label.tenant
            if owner and owner != to.tenant:
                to.labelled.add_foreign(value)
            elif self.is_answer:
                to.said.add_text(self.at, value)
                to.entered.add(value)
            else:
                to.said.add_strings(self.at, ((field, value),), record)
        elif provenance == "user":
            to.said.add_text(self.at, value)
        if provenance in OUTSIDE:
            to.entered.add(value)
        if label.data_class == "personal":
            to.labelled.add_personal(value, label.jurisdiction)


def told_of(tool: str, value: object, labels: tuple[Label, ...]) -> tuple[str, ...]:
    """Return the ``tool.field=value`` of a result's own fields that ``after`` may speak of."""
    if type(value) is not dict:
        return ()
    parts = {each.path: each for each in labels} if len(labels) > 1 else {}
    found = []
    for field, each in value.items():
        mine = parts.get(field, labels[0])
        if mine.provenance != "record" or mine.data_class:
            continue
        if type(each) is str and len(each) <= SHORT:
            found.append(f"{tool}.{field}={each}")
        elif type(each) is bool:
            found.append(f"{tool}.{field}={'true' if each else 'false'}")
    return tuple(found)


def leaves(args: Mapping[str, object]) -> list[tuple[str, str | int]]:
    """Return the strings and numbers of arguments with their dotted names, without indexes.

    A number that is no integer comes as text.
    """
    found: list[tuple[str, str | int]] = []
    for name, value in args.items():
        kind = type(value)
        if kind is str or kind is int:
            found.append((name, value))  # type: ignore[arg-type]
        elif value is not None and kind is not bool:
            _add_leaves(name, value, found)
    return found


def _add_leaves(name: str, value: object, found: list[tuple[str, str | int]]) -> None:
    kind = type(value)
    if kind is str or kind is int:
        found.append((name, value))  # type: ignore[arg-type]
    elif isinstance(value, Mapping):
        for field, each in value.items():
            _add_leaves(f"{name}.{field}", each, found)
    elif kind is list or kind is tuple:
        for each in value:  # type: ignore[attr-defined]
            _add_leaves(name, each, found)
    elif value is not None and kind is not bool:
        found.append((name, str(value)))
