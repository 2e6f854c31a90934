"""The problems that the ground floor can report."""

from undersigned.core.errors import Problem

NOT_IN_PROFILE = Problem(
    "E-COR-001",
    "a value outside the canonical JSON profile",
    "Evidence is compared byte by byte, so a value that two programs could write differently "
    "(a float, a huge integer, a non-ASCII key, a lone surrogate) cannot be part of it.",
    "write quantities as integers in a named unit or as decimal strings, and keys in ASCII",
)
NOT_CANONICAL = Problem(
    "E-COR-002",
    "JSON that is not in canonical form",
    "Two texts with the same meaning have different digests; accepting both would let evidence "
    "be altered without changing what it seems to say.",
    "undersigned doctor (then re-create the file with the program that wrote it)",
)
NOT_DECODABLE = Problem(
    "E-COR-003",
    "JSON that cannot be decoded as what it should be",
    "A record with unknown, missing or mistyped fields cannot be relied on, so it is refused.",
    "undersigned doctor (then compare the file with the schema in docs/schemas)",
)
WRITE_FAILED = Problem(
    "E-COR-004",
    "a file could not be written",
    "What was not written durably would be missing from the evidence.",
    "free space or fix permissions at {path}, then run the same command with --resume",
)
READ_FAILED = Problem(
    "E-COR-005",
    "a file could not be read",
    "Nothing can be said about a file that cannot be read.",
    "check that {path} exists and is readable",
)
INTERNAL = Problem(
    "E-COR-006",
    "an error inside Undersigned",
    "This is a fault of the program, not of the agent; no result was derived from it.",
    "run again with UNDERSIGNED_DEBUG=1 and report the trace it prints",
)

ALL = (NOT_IN_PROFILE, NOT_CANONICAL, NOT_DECODABLE, WRITE_FAILED, READ_FAILED, INTERNAL)
