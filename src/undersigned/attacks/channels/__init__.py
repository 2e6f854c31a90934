"""One file per channel; a file added is a channel added.

``channels()`` finds them by listing the folder. Each file defines ``CHANNEL``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from importlib.resources import files

from undersigned.worlds.scenario import Channel


@lru_cache(maxsize=1)
def channels() -> Mapping[str, Channel]:
    """Return all channels by name."""
    found: dict[str, Channel] = {}
    for entry in sorted(files(__name__).iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".py") and not entry.name.startswith("_"):
            channel: Channel = import_module(f"{__name__}.{entry.name[:-3]}").CHANNEL
            found[channel.name] = channel
    return found
