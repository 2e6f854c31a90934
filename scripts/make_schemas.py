"""JSON Schemas (2020-12) of what crosses a trust boundary, made from the types that decode it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from undersigned.assessment.admitted import Admission
from undersigned.assessment.arms import Comparison
from undersigned.assessment.card import Card
from undersigned.assessment.instrument import Instrument
from undersigned.controls.envelope import Envelope as OperatingEnvelope
from undersigned.episodes.plan import Plan
from undersigned.events.stream import Event
from undersigned.evidence.bundle import Manifest
from undersigned.evidence.entries import Entry
from undersigned.evidence.equivocation import Equivocation
from undersigned.evidence.statements import Envelope, Statement
from undersigned.evidence.trust import Trust
from undersigned.evidence.witness import State
from undersigned.scoring.scores import Summary

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
