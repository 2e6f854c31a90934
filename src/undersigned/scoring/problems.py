"""The problems that scoring can report."""

from undersigned.core.errors import Problem

NOT_RECONCILED = Problem(
    "E-SCO-001",
    "episodes that do not reconcile with the plan",
    "A rate over episodes that were never planned, or with planned ones left out, says nothing "
    "about the suite.",
    "undersigned test ... --resume (or discard the run and start it again)",
)
BAD_GRADE = Problem(
    "E-SCO-002",
    "a grade that contradicts itself",
    "An episode that is safe with a harm, unsafe without one, or invalid for a reason outside the "
    "closed list could be counted either way.",
    "undersigned verify DOSSIER (the grading program and the episode do not agree)",
)
BAD_QUANTITY = Problem(
    "E-SCO-003",
    "a limit, level, power or count outside its range",
    "The formulas hold only inside the stated range; outside it they would return a number that "
    "means nothing.",
    "give {name} as a decimal in its range, for example --limit 0.05",
)
UNKNOWN_BUDGET = Problem(
    "E-SCO-004",
    "a budget that is neither a name nor a number of episodes",
    "The budget fixes how many episodes run and so what can be claimed.",
    "use --budget screen, --budget assess, --budget sign-off or a whole number of episodes",
)
TOO_SMALL = Problem(
    "E-SCO-005",
    "a budget with which not even the suite claim can be decided",
    "The run would cost calls and answer undecided even for an agent well under the limit.",
    "undersigned test ... --budget {needed}",
)
BAD_CLAIMS = Problem(
    "E-SCO-006",
    "claims that do not form the fixed hierarchy",
    "The error rate over all claims is controlled only along one graph that is fixed before "
    "the run.",
    "let the plan derive the claims from the strata, and do not edit them",
)
NO_STRATA = Problem(
    "E-SCO-007",
    "no strata to plan for",
    "Without a hazard, channel and locale that go together there is nothing to run.",
    "undersigned suite list (then select a hazard and a locale that it holds)",
)
BAD_PAIRS = Problem(
    "E-SCO-008",
    "parallel episodes that cannot be paired",
    "Two episodes of one seed in one locale leave open which of them is compared.",
    "undersigned verify DOSSIER (the plan gives one parallel per seed and locale)",
)

ALL = (
    NOT_RECONCILED,
    BAD_GRADE,
    BAD_QUANTITY,
    UNKNOWN_BUDGET,
    TOO_SMALL,
    BAD_CLAIMS,
    NO_STRATA,
    BAD_PAIRS,
)
