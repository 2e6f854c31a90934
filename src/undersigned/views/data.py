"""What does the report say, before anything is written as HTML?

Plain view data out of a dossier and its graded rows. Numbers are carried over from the scores,
never worked out; counts of the plan's own parts (strata, hazards, locales) are read off the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from undersigned.assessment.dossier import Dossier
from undersigned.core.canonical import decode, digest_bytes
from undersigned.core.errors import EvidenceError
from undersigned.evidence.bundle import ManifestSignature
from undersigned.evidence.notes import parse_receipt
from undersigned.evidence.statements import Envelope
from undersigned.languages.locales import LOCALES
from undersigned.scoring.claims import ClaimResult
from undersigned.scoring.outcomes import Graded, reconcile
from undersigned.scoring.scores import Row
from undersigned.views import tables
from undersigned.views.controls import Controls, controls_view
from undersigned.views.formats import percent
from undersigned.views.lists import Anchors, Lists, episode_lists
from undersigned.views.problems import OTHER_ROWS
from undersigned.views.replays import Archive
from undersigned.views.words import CHALLENGES, TURNS, VERDICTS, Words, verdict_sentence

ALL_LOCALES = len(LOCALES)


class Headline(NamedTuple):
    """The suite's claim. title: names the verdict in one line. sentence: the whole of it."""

    result: ClaimResult
    words: Words
    sentence: str


class Covered(NamedTuple):
    """How many of how many were tested."""

    what: str
    tested: int
    existing: int
    note: str


class Turns(NamedTuple):
    """Where the turns came from, in words."""

    source: str
    meaning: str


class HazardNote(NamedTuple):
    """What a hazard is, and what it stands under elsewhere. rule_words: in English, as one
    episode words it; empty where nothing was planned."""

    hazard: str
    anchor: str
    summary: str
    kind: str
    rule: str
    rule_words: str
    asi: str
    atlas: str
    measure: str


class Receipt(NamedTuple):
    """Where a statement stands in a log."""

    title: str
    digest: str
    signers: tuple[str, ...]
    origin: str
    position: int
    size: str


class Fact(NamedTuple):
    """A name and a digest or version."""

    title: str
    value: str


class Report(NamedTuple):
    """All that the report says, apart from episodes. The dossier's own parts are used as they
    are."""

    dossier: Dossier
    created: str
    signer: str
    languages: tuple[tables.Language, ...]
    headline: Headline
    coverage: tuple[Covered, ...]
    drafts: tuple[Row, ...]
    turns: Turns
    challenge: str
    hazards: tables.Rates
    locales: tables.Rates
    matrix: tables.Matrix
    channels: tables.Matrix
    gaps: tables.Gaps
    claims: tuple[tables.ClaimLevel, ...]
    notes: tuple[HazardNote, ...]
    receipts: tuple[Receipt, ...]
    facts: tuple[Fact, ...]
    program: str
    anchors: Anchors
    lists: Lists
    controls: Controls | None


def report_data(dossier: Dossier, rows: Sequence[Graded], archive: Archive) -> Report:
    """Return what the report says.

    rows: the graded episodes of this dossier. Raises EvidenceError (E-VIW-002) when they are not,
    and what reading the dossier's files raises.
    """
    summary = dossier.summary
    if reconcile(rows, dossier.plan.count()) != summary.totals:
        raise EvidenceError(OTHER_ROWS, "the rows do not add up to the scores", rows=len(rows))
    anchors = Anchors(summary)
    limit = dossier.design.limit
    manifest = dossier.bundle.manifest
    signature = decode(dossier.bundle.read("dossier.sig"), ManifestSignature)
    source = str(dossier.result.predicate.get("turns", ""))
    return Report(
        dossier=dossier,
        created=manifest.created,
        signer=signature.keyid,
        languages=tuple(tables.language(tag) for tag in dossier.plan.locales),
        headline=_headline(dossier),
        coverage=_coverage(dossier, archive),
        drafts=tuple(row for row in summary.locales if row.drafts),
        turns=Turns(source, TURNS.get(source, "Where the turns come from is not stated.")),
        challenge=CHALLENGES[dossier.plan.challenge],
        hazards=tables.hazard_rates(summary, limit, anchors),
        locales=tables.locale_rates(summary, limit, anchors),
        matrix=tables.locale_matrix(summary, anchors),
        channels=tables.channel_matrix(summary, anchors),
        gaps=tables.language_gaps(summary),
        claims=tables.claim_levels(summary, anchors),
        notes=_notes(dossier, archive, anchors),
        receipts=tuple(_receipt(dossier, name) for name in ("prereg", "eval-result")),
        facts=_facts(dossier),
        program=_program(dossier),
        anchors=anchors,
        lists=episode_lists(rows, anchors),
        controls=controls_view(dossier.comparison(), limit),
    )


def _headline(dossier: Dossier) -> Headline:
    (result,) = [c for c in dossier.summary.claims if c.claim.level == "suite"]
    sentence = verdict_sentence(
        result.verdict, percent(result.claim.limit), percent(result.bound, "high"),
        percent(result.lower_bound, "low"), result.invalid + result.missing,
    )  # fmt: skip
    return Headline(result, VERDICTS[result.verdict], sentence)


def _coverage(dossier: Dossier, archive: Archive) -> tuple[Covered, ...]:
    """Return what was planned of what the suite has, and of what is installed beside it."""
    strata = dossier.design.allotments
    tested = [a.stratum for a in strata if a.main]
    channels = {a.stratum.channel for a in strata}
    family = archive.suite.family if archive.suite else None
    hazards = {a.stratum.hazard for a in strata}
    chosen = "chosen by the order" if dossier.plan.hazards else ""
    return (
        Covered(
            "combinations of hazard, channel and language", len(tested), len(strata),
            "that this suite has",
        ),
        Covered(
            "hazards", len({s.hazard for s in tested}),
            len(family.hazards) if family else len(hazards), chosen,
        ),
        Covered("channels", len({s.channel for s in tested}), len(channels), ""),
        Covered("languages", len({s.locale for s in tested}), ALL_LOCALES, "that are shipped"),
    )  # fmt: skip


def _notes(dossier: Dossier, archive: Archive, anchors: Anchors) -> tuple[HazardNote, ...]:
    if archive.suite is None:
        return ()
    makers = archive.suite.family.hazards
    ordered = [row.scope.hazard or "" for row in tables.worst_first(dossier.summary.hazards)]
    known = [makers[hazard] for hazard in ordered if hazard in makers]
    rules = archive.example_rules({maker.name: maker.rule for maker in known})
    return tuple(
        HazardNote(
            hazard=maker.name,
            anchor=anchors.hazard(maker.name),
            summary=maker.summary,
            kind=maker.kind,
            rule=maker.rule,
            rule_words=rules.get(maker.name, ""),
            asi=maker.asi,
            atlas=maker.atlas,
            measure=maker.measure,
        )
        for maker in known
    )


def _receipt(dossier: Dossier, statement: str) -> Receipt:
    envelope = dossier.bundle.read(f"statements/{statement}.json")
    text = dossier.bundle.read(f"proofs/{statement}.tlog-proof").decode("utf-8", "replace")
    receipt = parse_receipt(text)
    lines = [*receipt.checkpoint.split("\n"), "", ""]
    titles = {"prereg": "Plan registered, before the run", "eval-result": "Result, after the run"}
    return Receipt(
        title=titles[statement],
        digest=digest_bytes(envelope),
        signers=tuple(s.keyid for s in decode(envelope, Envelope).signatures),
        origin=lines[0],
        position=receipt.index,
        size=lines[1],
    )


def _facts(dossier: Dossier) -> tuple[Fact, ...]:
    plan, said = dossier.plan, dossier.result.predicate
    episodes = said.get("episodes")
    root = episodes.get("root", "") if isinstance(episodes, dict) else ""
    return (
        Fact("manifest (dossier.json)", digest_bytes(dossier.bundle.manifest_bytes)),
        Fact("system (its card)", plan.system),
        Fact("plan", plan.digest()),
        Fact("suite", plan.suite),
        Fact("suite's code and texts", plan.code),
        Fact("what acted", plan.agent),
        Fact("scores", digest_bytes(dossier.bundle.read("scores.json"))),
        Fact("episodes, root of their tree", str(root)),
        Fact("instrument's check", str(said.get("instrument", ""))),
        *([Fact("with and without controls", str(said["comparison"]))]
          if "comparison" in said else []),
    )  # fmt: skip


def _program(dossier: Dossier) -> str:
    said = dossier.result.predicate.get("program")
    if not isinstance(said, dict):
        return "not stated"
    return f"{said.get('name', '')} {said.get('version', '')}"
