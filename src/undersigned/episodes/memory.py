"""Why may the collector rest while episodes run, and why is memory kept?

Episodes are made of frozen structs and tuples without cycles, so reference counts free them; the
collector would only walk them again and again. While it rests memory stays flat, which
``./bench`` shows at 10^5 episodes. It comes back at the end of the block, and walks what is alive
by then: what was made inside should have gone.

A shard's two megabytes would be given back to the system after each shard and faulted in again,
page by page, for the next; this took 3 of 120 us an episode.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_KEPT: Final = 1 << 24
"""Bytes up to which a freed block is kept for the next one."""


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Let the collector rest, and the allocator keep what it has, until the block ends."""
    # WHY: glibc keeps blocks as large as the largest that was ever freed, up to 32 MiB (mallopt(3),
    # M_MMAP_THRESHOLD); this one is never touched, so it takes no memory
    bytes(_KEPT)
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
