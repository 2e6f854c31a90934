"""The problems that the command line itself can report."""

from undersigned.core.errors import Problem

BAD_USAGE = Problem(
    "E-CLI-001",
    "a command that cannot be understood",
    "Guessing what was meant could run the wrong test or accept the wrong evidence.",
    "{see}",
)
OUTPUT_FAILED = Problem(
    "E-CLI-002",
    "standard output could not be written",
    "The result was reached but not delivered whole; half an answer can be mistaken for one.",
    "free space where the output goes, then run the same command again",
)
INTERRUPTED = Problem(
    "E-CLI-003",
    "stopped by a person",
    "Nothing is concluded from a run that was stopped; what was recorded is kept.",
    "run the same command with --resume where the verb offers it, else run it again",
)
UNKNOWN_CODE = Problem(
    "E-CLI-004",
    "an error code that does not exist",
    "Each way to fail has one code, so a code that is not listed was mistyped or is from another "
    "version.",
    "undersigned explain",
)

ALL = (BAD_USAGE, OUTPUT_FAILED, INTERRUPTED, UNKNOWN_CODE)
