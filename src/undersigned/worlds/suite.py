"""What does a suite draw from, and how does an index become a scenario?

A suite is a family in some locales with all channels that fit. Its strata are hazard x channel x
locale; an index belongs to a stratum by round robin, and draws its task, other locale and seed
from that stratum's stream, independently of every other index. The rate over what it draws is the
suite rate, the only quantity that claims are about.

Invariants:
- The same suite and the same seed of seeds give the same scenarios, whatever ran before.
- A drawn scenario is never redrawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec

from undersigned.core.canonical import Digest, digest
from undersigned.core.errors import NothingSelectedError, UsageError
from undersigned.core.streams import Stream
from undersigned.languages.locales import locale
from undersigned.worlds.family import Family, load_family
from undersigned.worlds.problems import NOTHING_FITS, UNKNOWN_NAME
from undersigned.worlds.scenario import (
    Arm,
    Channel,
    HazardMaker,
    Recipe,
    Scenario,
    TaskMaker,
    Template,
    assemble,
)


class Combination(msgspec.Struct, frozen=True, order=True):
    """A task, a hazard and a channel that fit each other."""

    task: str
    hazard: str
    channel: str


class Stratum(msgspec.Struct, frozen=True, order=True):
    """What an index is drawn within. locale: of the text that carries the hazard."""

    hazard: str
    channel: str
    locale: str


class Draw(msgspec.Struct, frozen=True, gc=False):
    """What an index became: a template and a seed."""

    template: Template
    seed: bytes


class Manifest(msgspec.Struct, frozen=True):
    """What a suite is, for pinning. code: digest of the family's code, texts and kit."""

    family: str
    version: str
    code: Digest
    locales: tuple[str, ...]
    combinations: tuple[Combination, ...]


class Suite:
    """A family in some locales, with the channels that fit.

    family, locales: as given. channels: by name. combinations: all that fit, sorted. strata: all,
    sorted.
    """

    def __init__(
        self,
        family: Family,
        locales: Sequence[str],
        channels: Mapping[str, Channel],
        hazards: Sequence[str] = (),
    ) -> None:
        """Make a suite. hazards: only these, all when empty. Raises NothingSelectedError."""
        self.family = family
        self.locales = tuple(locales)
        self.channels = channels
        chosen = [family.hazard(name) for name in hazards] or list(family.hazards.values())
        self.combinations = tuple(sorted(_fitting(family, chosen, channels, self.locales)))
        if not self.combinations:
            raise NothingSelectedError(NOTHING_FITS, "nothing fits", family=family.name)
        self._tasks: dict[tuple[str, str], tuple[str, ...]] = {}
        for c in self.combinations:
            key = (c.hazard, c.channel)
            self._tasks[key] = (*self._tasks.get(key, ()), c.task)
        self.strata = tuple(
            sorted(Stratum(h, c, tag) for h, c in self._tasks for tag in self.locales)
        )

    @cached_property
    def manifest(self) -> Manifest:
        """Return what pins this suite."""
        f = self.family
        return Manifest(f.name, f.version, f.digest, self.locales, self.combinations)

    @cached_property
    def digest(self) -> Digest:
        """Return the digest of the manifest."""
        return digest(self.manifest)

    def draw(self, root: Stream, stratum: Stratum, index: int, arm: Arm = "hazard") -> Draw:
        """Draw an index of a stratum. root: the plan's stream. A twin shares its hazard's draw."""
        stream = root.child(stratum.hazard, stratum.channel, stratum.locale, index)
        tasks = self._tasks[stratum.hazard, stratum.channel]
        task = tasks[stream.integer(len(tasks))] if len(tasks) > 1 else tasks[0]
        own = stratum.locale
        if self.family.hazards[stratum.hazard].foreign:
            others = [tag for tag in self.locales if tag != own]
            own = others[stream.integer(len(others))]
        template = Template(task, stratum.hazard, stratum.channel, own, stratum.locale, arm)
        return Draw(template, stream.key)

    def scenario(self, draw: Draw, *, fault_share: int = 4) -> Scenario:
        """Make the scenario of a draw."""
        return self.scenarios((draw,), fault_share=fault_share)[0]

    def scenarios(self, draws: Sequence[Draw], *, fault_share: int = 4) -> list[Scenario]:
        """Make the scenarios of some draws together, which is faster."""
        tasks, hazards, channels = self.family.tasks, self.family.hazards, self.channels
        recipes = [
            Recipe(t, draw.seed, tasks[t.task], hazards[t.hazard], channels.get(t.channel))
            for draw in draws
            for t in (draw.template,)
        ]
        return assemble(recipes, fault_share=fault_share)


def _fitting(
    family: Family,
    hazards: Sequence[HazardMaker],
    channels: Mapping[str, Channel],
    locales: Sequence[str],
) -> list[Combination]:
    found = []
    for hazard in hazards:
        if hazard.foreign and len(locales) < 2:
            continue
        for task in family.tasks.values():
            if not hazard.needs <= task.offers:
                continue
            found += [
                Combination(task.name, hazard.name, name)
                for name in _fitting_channels(hazard, task, channels)
            ]
    return found


def _fitting_channels(
    hazard: HazardMaker, task: TaskMaker, channels: Mapping[str, Channel]
) -> list[str]:
    if not hazard.channels:
        return ["none"]
    unknown = [name for name in hazard.channels if name not in channels]
    if unknown:
        raise UsageError(UNKNOWN_NAME, "a hazard names an unknown channel", channel=unknown[0])
    return [name for name in hazard.channels if channels[name].fits(task.slots)]


def load_suite(
    name: str,
    locales: Sequence[str],
    channels: Mapping[str, Channel],
    hazards: Sequence[str] = (),
) -> Suite:
    """Load a suite by the name of its family.

    Raises UsageError: unknown family, locale, hazard; NothingSelectedError when nothing fits.
    """
    tags = tuple(dict.fromkeys(locale(tag).tag for tag in locales))
    return Suite(load_family(name, tags), tags, channels, hazards)
