"""Does every number of a dossier follow from its episodes, and every episode from its plan?

After the stand-alone checks (signatures, log, digests) this regenerates each scenario, runs each
episode again (a reference agent acts again; of any other the recorded turns are played), compares
every byte, grades, recomputes the scores and compares them. It runs the verifier's own installed
program, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from undersigned.assessment.comparison import Watch, compare, is_exact, probe_of
from undersigned.assessment.dossier import (
    COMPARISON_FILE,
    SHOWN_ENVELOPE_FILE,
    Dossier,
    of_former_name,
    shown_envelope,
)
from undersigned.assessment.instrument import check_instrument, require_sound
from undersigned.assessment.problems import (
    PLAN_DIFFERS,
    SCORES_DIFFER,
)
from undersigned.assessment.registry import prereg_of
from undersigned.assessment.relay_check import RelayCheck
from undersigned.assessment.rerun import bench_of, installed, run_again, runs_beside
from undersigned.core.canonical import digest_bytes, encode
from undersigned.core.errors import EvidenceError, UndecidableError, UndersignedError
from undersigned.episodes.execute import Bench
from undersigned.episodes.plan import SCHEMA
from undersigned.episodes.rig import Rig
from undersigned.evidence.trust import load_trust
from undersigned.evidence.verify import Finding, exit_code, verify_dossier
from undersigned.scoring.budgets import design
from undersigned.scoring.outcomes import Graded
from undersigned.scoring.summary import summarise
from undersigned.worlds.suite import Suite


class Verified(NamedTuple):
    """What verification found. findings: one line each. episodes: how many were run again.
    rows: their grades, empty when they could not be run. code: exit code 0, 3 or 4."""

    findings: list[Finding]
    episodes: int
    rows: list[Graded]
    code: int


def finding(status: str, what: str, code: str = "", file: str = "", remedy: str = "") -> Finding:
    """Return one line of the result. status: ``holds``, ``fails`` or ``unknown``."""
    return Finding(status, what, code, file, remedy)  # type: ignore[arg-type]


def _failed(error: UndersignedError) -> Finding:
    status = "unknown" if isinstance(error, UndecidableError) else "fails"
    shown = ", ".join(f"{k} {v}" for k, v in error.fields.items() if k != "file")
    what = f"{error.what} ({shown})" if shown else error.what
    return finding(status, what, error.code, error.fields.get("file", ""), error.remedy)


REGRADED_HERE = ("E-EVD-183", "E-EVD-185")
"""Limits of the stand-alone check that do not apply here."""


async def verify(
    path: Path,
    trust: Path,
    *,
    seen: Sequence[Path] = (),
    nonce: str = "",
    on_episode: Callable[[int, int], None] | None = None,
) -> Verified:
    """Verify a dossier in full.

    path: folder or zip. trust: the verifier's own trust file. seen: files with checkpoints of its
    log that the verifier holds. nonce: the challenge that the verifier gave, if any. on_episode:
    told of progress (done, of how many). Returns findings; raises only for what makes reading
    impossible before any check.
    """
    if former := of_former_name(path, trust):
        return Verified([_failed(former)], 0, [], 4)
    found = [f for f in verify_dossier(path, trust, seen, nonce) if f.code not in REGRADED_HERE]
    rows: list[Graded] = []
    if any(f.status == "fails" for f in found):
        found.append(
            finding("unknown", "episodes were not run again, because the evidence does not hold",
                    "E-EVD-170", "", "remedy what fails first")
        )  # fmt: skip
        return Verified(found, 0, rows, 3)
    try:
        with Dossier(path) as dossier:
            suite = installed(dossier)
            _check_plan(dossier, suite)
            found.append(finding("holds", "the plan follows from its own design and seed rule"))
            relays = RelayCheck(dossier, load_trust(trust), Rig(suite.family))
            bench = bench_of(dossier, suite)
            watch = Watch(dossier.plan, bench.controls)
            rows = await run_again(dossier, bench, on_episode, relays, watch)
            found = relays.judged(found)
            if dossier.card.source() == "recomputed":
                found = [f for f in found if f.code != "E-EVD-184"]
                found.append(
                    finding("holds", "the reference agent acted again; its turns are the same")
                )
            found.append(
                finding(
                    "holds", f"{len(rows)} episodes were regenerated and re-graded (this program)"
                )
            )
            if bench.controls is not None:
                found.append(finding("holds", "each decision follows from the events before it"))
            _check_scores(dossier, rows)
            found.append(finding("holds", "all numbers were recomputed and are the same"))
            found += _attempts(dossier)
            found += _envelope(dossier)
            found += await _comparison(dossier, bench, watch, on_episode)
            await _check_instrument(dossier, suite)
            found.append(finding("holds", "the instrument's check was repeated and is the same"))
    except UndersignedError as error:
        found.append(_failed(error))
        if isinstance(error, UndecidableError):
            return Verified(found, len(rows), rows, 4)
    return Verified(found, len(rows), rows, exit_code(found))


def _check_plan(dossier: Dossier, suite: Suite) -> None:
    """Check that registration, blocks, claims, design and card belong together.

    Raises EvidenceError (E-ASM-007).
    """
    plan, made = dossier.plan, dossier.design
    # WHY first: what follows takes time and memory in proportion to what the plan says.
    if dossier.result.predicate["episodes"]["count"] != plan.count():
        raise EvidenceError(
            PLAN_DIFFERS, "there are not as many episodes as planned", file="plan.json"
        )
    challenged = plan.challenge == "verifier" if dossier.nonce else plan.challenge == "none"
    wish = dossier.card.controls
    reviewer = wish.reviewer if wish is not None else "none"
    if (plan.schema, plan.reviewer) != (SCHEMA, reviewer) or not challenged:
        raise EvidenceError(
            PLAN_DIFFERS, "the plan names a reviewer or a challenge that nothing here bears out",
            file="plan.json", reviewer=plan.reviewer, challenge=plan.challenge,
        )  # fmt: skip
    if dossier.prereg.predicate != prereg_of(plan, made):
        raise EvidenceError(
            PLAN_DIFFERS, "the registration says something else than the plan",
            file="statements/prereg.json",
        )  # fmt: skip
    try:
        again = design(
            suite.strata, made.budget, limit=made.limit, alternative=made.alternative,
            alpha=made.alpha, power=made.power,
        )  # fmt: skip
    except UndersignedError as error:
        raise EvidenceError(
            PLAN_DIFFERS, "no such design can be made", file="plan.json", reason=error.what
        ) from error
    claim = dossier.card.claim
    same = (
        encode(again) == encode(plan.design)
        and plan.blocks == again.allotments
        and plan.parallels == again.parallels
        and plan.system == dossier.card.digest()
        and (made.limit, made.alpha, made.power) == (claim.limit, claim.alpha, claim.power)
        and dossier.card.suite == plan.family
    )
    if not same:
        raise EvidenceError(PLAN_DIFFERS, "plan, design and card do not agree", file="plan.json")


def _check_scores(dossier: Dossier, rows: list[Graded]) -> None:
    """Recompute the scores. Raises EvidenceError (E-ASM-006)."""
    again = summarise(rows, dossier.design)
    if encode(again) != dossier.bundle.read("scores.json"):
        raise EvidenceError(
            SCORES_DIFFER, "the scores do not follow from the episodes", file="scores.json"
        )
    stated = dossier.result.predicate
    verdicts = [
        {"claim": c.claim.id, "limit": c.claim.limit, "verdict": c.verdict, "bound": c.bound}
        for c in again.claims
    ]
    if stated.get("verdicts") != verdicts or encode(stated.get("headline")) != encode(
        again.headline
    ):
        raise EvidenceError(
            SCORES_DIFFER, "the signed verdicts do not follow from the episodes",
            file="statements/eval-result.json",
        )  # fmt: skip


def _envelope(dossier: Dossier) -> list[Finding]:
    """Work the operating envelope out again, where the run was governed.

    Raises EvidenceError (E-ASM-006).
    """
    name = SHOWN_ENVELOPE_FILE
    if not dossier.plan.policy:
        if name in dossier.bundle.names():
            raise EvidenceError(SCORES_DIFFER, "an envelope without controls", file=name)
        return []
    again = shown_envelope(dossier.plan, dossier.summary)
    stated = dossier.result.predicate.get("envelope")
    data = dossier.bundle.read(name)
    if encode(again) != data or stated != digest_bytes(data):
        raise EvidenceError(
            SCORES_DIFFER, "the envelope does not follow from the claims", file=name
        )
    told = f"{again.count('within')} within, {again.count('provisional')} provisional"
    return [finding("holds", f"the operating envelope follows from the claims: {told}")]


def _attempts(dossier: Dossier) -> list[Finding]:
    """Check the stated attempts as far as they follow from the episodes, and tell them.

    Raises EvidenceError (E-ASM-006).
    """
    stated, totals = dossier.result.predicate.get("attempts"), dossier.summary.totals
    good = isinstance(stated, dict) and all(
        stated.get(name) == count
        for name, count in (("invalid", totals.invalid), ("missing", totals.missing))
    )
    started = stated.get("started") if isinstance(stated, dict) else None
    if not good or type(started) is not int or started < totals.planned - totals.missing:
        raise EvidenceError(
            SCORES_DIFFER, "the stated attempts do not follow from the episodes",
            file="statements/eval-result.json",
        )  # fmt: skip
    again = started - (totals.planned - totals.missing)
    told = (
        f"{totals.planned} episodes were planned; {totals.invalid} invalid and {totals.missing} "
        f"missing count as unsafe in every claim; {again} were taken up again after a stop "
        "(the tester's word)"
    )
    return [finding("holds", told)]


async def _comparison(
    dossier: Dossier,
    bench: Bench,
    watch: Watch,
    on_episode: Callable[[int, int], None] | None,
) -> list[Finding]:
    """Compare with and without controls again, where the run was governed.

    Raises EvidenceError (E-ASM-006).
    """
    name, card = COMPARISON_FILE, dossier.card
    stated = dossier.result.predicate.get("comparison")
    if bench.controls is None:
        if stated is not None or name in dossier.bundle.names():
            raise EvidenceError(SCORES_DIFFER, "a comparison without controls", file=name)
        return []
    done = bench.plan.count()
    total = done + runs_beside(dossier, bench)

    def on_compared(more: int) -> None:
        nonlocal done
        done += more
        if on_episode is not None:
            on_episode(done, total)

    again = await compare(
        bench, watch.kept, exact=is_exact(card), nonce=dossier.nonce, probe=probe_of(card),
        on_episode=on_compared,
    )  # fmt: skip
    data = dossier.bundle.read(name)
    if encode(again) != data or stated != digest_bytes(data):
        raise EvidenceError(
            SCORES_DIFFER, "the comparison with and without controls comes out otherwise", file=name
        )
    told = "the comparison with and without controls was recomputed and is the same"
    return [finding("holds", told)]


async def _check_instrument(dossier: Dossier, suite: Suite) -> None:
    """Repeat the instrument's check. Raises EvidenceError (E-ASM-006), UndersignedError (E-ASM-003)
    when it is the same and not sound."""
    kept = encode(dossier.instrument)
    if dossier.result.predicate.get("instrument") != digest_bytes(kept):
        raise EvidenceError(
            SCORES_DIFFER, "the result names another check of the instrument",
            file="instrument.json.zst",
        )  # fmt: skip
    again = await check_instrument(suite, Rig(suite.family))
    if encode(again) != kept:
        raise EvidenceError(
            SCORES_DIFFER, "the instrument's check comes out otherwise", file="instrument.json.zst"
        )
    require_sound(again, suite)


def worst_first(findings: list[Finding]) -> Iterator[Finding]:
    """Yield what fails, then what cannot be known, then what holds."""
    for status in ("fails", "unknown", "holds"):
        yield from (f for f in findings if f.status == status)
