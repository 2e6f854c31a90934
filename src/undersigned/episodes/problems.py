"""The problems that running and keeping episodes can report."""

from undersigned.core.errors import Problem

BAD_SHARD = Problem(
    "E-EPI-001",
    "a shard of episodes that does not hold",
    "Scores are computed from the episodes; an altered one would carry an altered score.",
    "undersigned verify DOSSIER --trust FILE, and ask its maker for a whole copy of {file}",
)
OTHER_PLAN = Problem(
    "E-EPI-002",
    "a folder that holds the run of another plan",
    "Mixing episodes of two plans would give numbers that belong to neither.",
    "name another folder with --out, or remove {path}",
)
NOT_RESUMABLE = Problem(
    "E-EPI-003",
    "nothing to resume",
    "Starting afresh under --resume could hide that an earlier run was lost.",
    "run the same command without --resume",
)
TORN_ATTEMPTS = Problem(
    "E-EPI-004",
    "a record of attempts that is damaged before its end",
    "Turns that were paid for cannot be told from turns that were not.",
    "keep {path} for inspection and start a new run with another --out",
)
RUN_EXISTS = Problem(
    "E-EPI-005",
    "an unfinished run is already there",
    "Starting it again would throw away episodes that were already paid for.",
    "run the same command with --resume, or name another folder with --out",
)
INTERRUPTED = Problem(
    "E-EPI-006",
    "the run was interrupted",
    "What ran is kept; nothing is run twice when it is resumed.",
    "run the same command with --resume",
)

ALL = (BAD_SHARD, OTHER_PLAN, NOT_RESUMABLE, TORN_ATTEMPTS, RUN_EXISTS, INTERRUPTED)
