"""How fast does the log take entries, durably and in memory, and prove them?

Durable appends are timed by wall time, one commit of ours after one bare commit of the same bytes,
on the same disk.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.bare import bare_proofs, bare_tree
from benchmarks.measure import Probe, Row, Setup, cpu_rate
from undersigned.core.canonical import digest_bytes
from undersigned.core.files import write_all
from undersigned.evidence.entries import Entry
from undersigned.evidence.keys import create_key, load_key
from undersigned.evidence.log import Log
from undersigned.evidence.statements import predicate_uri
from undersigned.evidence.tree import Tree, leaf_hash

LEAVES = 100_000
"""Leaves of the tree in which proofs are made."""


def entries(count: int, start: int = 0) -> list[bytes]:
    """Return log entries as ``register`` makes them."""
    uri = predicate_uri("prereg")
    return [
        Entry(uri, digest_bytes(number.to_bytes(8, "big")), 1500).data()
        for number in range(start, start + count)
    ]


class _Bench:
    """A log, and a bare file beside it."""

    def __init__(self, setup: Setup, batch: int) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=setup.folder))
        key = load_key(create_key(self.folder / "keys", "log", "bench-log", party="bench"))
        self.log = Log.create(self.folder / "log", "bench-log", key)
        self.bare = os.open(self.folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        commits = {1: setup.pick(40, 400), 100: setup.pick(20, 150), 1000: setup.pick(6, 40)}
        self.commits = commits[batch]
        self.batch = batch
        self.made = 0
        self._floor = 0.0
        self._flushes: list[float] = []

    def note(self) -> str:
        """Say what a flush costs here: where it is nearly free, the ratio judges the rest alone."""
        return f"a flush alone took {1000 * median(self._flushes):.2f} ms (median)"

    def close(self) -> None:
        self.log.close()
        os.close(self.bare)
        shutil.rmtree(self.folder)

    def both(self) -> float:
        """Commit in turns; return the rate of ours and keep that of the bare file."""
        taken = [0.0, 0.0]
        for _ in range(self.commits):
            data = entries(self.batch, self.made)
            self.made += self.batch
            taken[0] += _wall(lambda d=data: self._write(d))  # type: ignore[misc]
            taken[1] += _wall(lambda d=data: self.log.append(d))  # type: ignore[misc]
        count = self.batch * self.commits
        self._floor = count / taken[0]
        return count / taken[1]

    def _write(self, data: Sequence[bytes]) -> None:
        write_all(self.bare, b"\n".join(data))
        start = time.perf_counter()
        os.fdatasync(self.bare)
        self._flushes.append(time.perf_counter() - start)


def _wall(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def durable(batch: int, setup: Setup) -> Probe:
    """Time commits of ours against bare ones, commit by commit."""
    bench = _Bench(setup, batch)
    measured: list[float] = []

    def floor() -> float:
        measured[:] = [bench.both()]
        return bench._floor

    return Probe(lambda: measured[0], floor, bench.close, bench.note)


def in_memory(setup: Setup) -> Probe:
    """Time leaf hash and append, one entry at a time."""
    data = entries(setup.pick(20_000, LEAVES))

    def work() -> None:
        tree = Tree()
        for entry in data:
            tree.append(leaf_hash(entry))

    count = len(data)
    return Probe(lambda: cpu_rate(count, work), lambda: cpu_rate(count, lambda: bare_tree(data)))


def proofs(setup: Setup) -> Probe:
    """Time inclusion proofs in a tree of 100,000 leaves."""
    tree = Tree()
    nodes = bare_tree(entries(LEAVES))
    tree.extend(nodes)
    count = setup.pick(2000, 20_000)
    step = 7919  # WHY: a prime, so that the positions are spread over the tree

    def work() -> None:
        for number in range(count):
            tree.inclusion(number * step % LEAVES, LEAVES)

    return Probe(
        lambda: cpu_rate(count, work), lambda: cpu_rate(count, lambda: bare_proofs(nodes, count))
    )


def _durable_row(batch: int, target: float | None) -> Row:
    title = f"durable appends, batch {batch:,}"
    return Row(
        f"append-{batch}", title, "1/s wall", "more", target, "append + fdatasync, same bytes",
        partial(durable, batch), is_ratio=True,
    )  # fmt: skip


ROWS = (
    Row("tree", "appends in memory, with leaf hash", "1/s", "more", 150_000,
        "two sha256 for each entry", in_memory),
    Row("proof", "inclusion proofs at 100,000 leaves", "1/s", "more", 10_000,
        "pick as many nodes from a list", proofs),
    _durable_row(1, 0.85),
    _durable_row(100, 0.85),
    _durable_row(1000, None),
)  # fmt: skip
