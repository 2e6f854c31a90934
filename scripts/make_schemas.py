"""JSON Schemas (2020-12) of what crosses a trust boundary, made from the types that decode it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from answerable.assessment.arms import Comparison
from answerable.assessment.card import Card
from answerable.assessment.instrument import Instrument
from answerable.controls.envelope import Envelope as OperatingEnvelope
from answerable.episodes.plan import Plan
from answerable.events.stream import Event
from answerable.evidence.bundle import Manifest
from answerable.evidence.entries import Entry
from answerable.evidence.equivocation import Equivocation
from answerable.evidence.statements import Envelope, Statement
from answerable.evidence.trust import Trust
from answerable.evidence.witness import State
from answerable.scoring.scores import Summary
from answerable.worlds.admitted import Admission

TYPES: Mapping[str, Any] = {
    "admission": Admission,
    "card": Card,
    "comparison": Comparison,
    "entry": Entry,
    "envelope": Envelope,
    "equivocation": Equivocation,
    "event": Event,
    "instrument": Instrument,
    "manifest": Manifest,
    "operating-envelope": OperatingEnvelope,
    "plan": Plan,
    "scores": Summary,
    "statement": Statement,
    "trust": Trust,
    "witness-state": State,
}
"""What is published, by file name."""


def schema_text(name: str) -> str:
    """Return the schema of a type, by its file name."""
    schema = msgspec.json.schema(TYPES[name])
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


SCHEMAS: Mapping[str, Callable[[], str]] = {
    f"docs/schemas/{name}.json": partial(schema_text, name) for name in TYPES
}
"""Every schema file and what writes it."""
