"""When is what a reader of evidence did with an input a finding?

Three rules. (a) Only declared errors come out. (b) Nothing but what was signed or written is ever
accepted. (c) The package's reader and the stand-alone verifier agree where both judge one thing.
A judge answers ``ACCEPTED`` or ``REFUSED`` or raises ``Unsafe``; any other exception is a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Literal, NamedTuple, TypeVar

from scripts.mutate import MUTATIONS, Mutation, Pool, mutate
from undersigned.core.errors import EvidenceError, StorageError, UndecidableError, UsageError
from undersigned.evidence.former import MARKS
from undersigned.evidence.verify import Refusal

T = TypeVar("T")
Outcome = Literal["accepted", "refused"]
"""accepted: with the content of a seed, or (strict parsers) re-encoding to the input itself."""

DECLARED = (EvidenceError, UsageError, StorageError, UndecidableError, Refusal)

FORMER_WORDS = tuple(mark.encode() for mark in MARKS)
"""What a thing of the former name bears; whoever carries it is refused like any other."""


class Unsafe(Exception):  # noqa: N818
    """An input broke a rule. kind: ``accepted``, ``disagree`` or ``seed``."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


class Target(NamedTuple):
    """What is attacked.

    share: of a thousand inputs. pool: valid inputs and the format's words; each seed must be
    accepted. judge: reads one input. draw: makes one instead of the common mutations. close:
    releases what the target holds.
    """

    name: str
    share: int
    pool: Pool
    judge: Callable[[bytes], Outcome]
    mutations: Sequence[Mutation] = MUTATIONS
    draw: Callable[[Random], bytes] | None = None
    close: Callable[[], None] = lambda: None

    def make(self, draw: Random) -> bytes:
        """Return one input."""
        return self.draw(draw) if self.draw else mutate(draw, self.pool, self.mutations)


def ask(reader: Callable[[], T]) -> T | None:
    """Return what a reader gives, None when it refuses with a declared error."""
    try:
        return reader()
    except DECLARED:
        return None


def agreed(package: object, verifier: object) -> Outcome:
    """Return what both readers say. Raises Unsafe when only one of them refuses."""
    if (package is None) != (verifier is None):
        who = "only the package" if verifier is None else "only the verifier"
        raise Unsafe("disagree", f"{who} accepts: {str(package or verifier)[:200]}")
    return "refused" if package is None else "accepted"


def demand(holds: bool, detail: str) -> None:
    """Raise Unsafe unless what was accepted is what a seed holds."""
    if not holds:
        raise Unsafe("accepted", detail)
