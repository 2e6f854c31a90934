"""Which combinations of a suite have been admitted, and by which code?

Admission takes longer than most runs, so its result is kept: beside the family as
``admission.json`` for the code that is shipped, else in a cache folder, always by the digest of
the code it was run with. A suite with a refused combination is not used.

Invariant: a kept admission counts only for exactly the code, seeds and locales it names.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import msgspec

from undersigned.assessment.admission import SEEDS, admit
from undersigned.core.canonical import Digest, decode, digest, digest_bytes, encode
from undersigned.core.errors import EvidenceError, UndersignedError
from undersigned.core.files import write_file
from undersigned.worlds.family import FAMILIES, Family
from undersigned.worlds.problems import NOT_ADMITTED
from undersigned.worlds.suite import Combination, Suite

SHIPPED = "admission.json"


class Refused(msgspec.Struct, frozen=True):
    """A combination that was not admitted in a locale, and why."""

    combination: Combination
    locale: str
    why: str


class Admission(msgspec.Struct, frozen=True):
    """The result of an admission. code: digest of family, kit and checks. combinations: that were
    tried in each of the locales, on so many seeds."""

    code: Digest
    seeds: int
    locales: tuple[str, ...]
    combinations: tuple[Combination, ...]
    refused: tuple[Refused, ...]

    def covers(self, suite: Suite) -> bool:
        """Tell whether this admission speaks of a suite."""
        return (
            self.code == code_of(suite.family)
            and self.seeds >= SEEDS
            and set(suite.locales) <= set(self.locales)
            and set(suite.combinations) <= set(self.combinations)
        )


def code_of(family: Family) -> Digest:
    """Return the digest of what an admission rests on: a family, the kit, the checks, and what
    carries programs out."""
    rows = [["assessment.admission", digest_of_source("assessment", "admission.py")]]
    for package in ("agents", "episodes", "events"):
        names = sorted(each.name for each in files(f"undersigned.{package}").iterdir())
        rows += [[f"{package}.{n}", digest_of_source(package, n)] for n in names if n[-3:] == ".py"]
    return digest([family.digest, *rows])


def digest_of_source(package: str, name: str) -> Digest:
    """Return the digest of one of our own source files."""
    return digest_bytes(files(f"undersigned.{package}").joinpath(name).read_bytes())


def run_admission(suite: Suite, on_tried: Callable[[int], None] | None = None) -> Admission:
    """Run the admission of a suite. on_tried: told how many more of ``tries`` are done."""
    found = admit(suite, on_tried=on_tried)
    refused = tuple(Refused(r.combination, r.locale, r.why) for r in found)
    return Admission(code_of(suite.family), SEEDS, suite.locales, suite.combinations, refused)


def tries(suite: Suite) -> int:
    """Return how many combinations, in how many locales, an admission tries."""
    return len(suite.combinations) * len(suite.locales)


def shipped(name: str) -> Admission | None:
    """Return the admission that is shipped with a family, if any."""
    entry = files(f"{FAMILIES}.{name}").joinpath(SHIPPED)
    return _read(entry.read_bytes()) if entry.is_file() else None


def _read(data: bytes) -> Admission | None:
    try:
        return decode(data, Admission)
    except EvidenceError:
        return None  # WHY: an unreadable cache is no admission; it is run again


def admission_of(
    suite: Suite, cache: Path | None, on_tried: Callable[[int], None] | None = None
) -> Admission:
    """Return the admission of a suite: shipped, cached, or run now.

    cache: folder to look in and to keep a new one in. on_tried: as of ``run_admission``.
    """
    kept = shipped(suite.family.name)
    if kept is not None and kept.covers(suite):
        return kept
    name = f"admission-{suite.digest.removeprefix('sha256:')[:32]}.json"
    path = cache / name if cache is not None else None
    if path is not None and path.is_file():
        kept = _read(path.read_bytes())
        if kept is not None and kept.covers(suite):
            return kept
    found = run_admission(suite, on_tried)
    if path is not None:
        write_file(path, encode(found))
    return found


def require_admitted(suite: Suite, admission: Admission) -> None:
    """Raise UndersignedError (E-WLD-003) when a combination of the suite was refused."""
    mine = set(suite.combinations)
    for refusal in admission.refused:
        if refusal.combination in mine and refusal.locale in suite.locales:
            c = refusal.combination
            raise UndersignedError(
                NOT_ADMITTED, "a combination is not admitted", family=suite.family.name,
                combination=f"{c.task}, {c.hazard}, {c.channel}, {refusal.locale}",
                why=refusal.why,
            )  # fmt: skip
