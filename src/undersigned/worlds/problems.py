"""The problems that worlds, families and suites can report."""

from undersigned.core.errors import Problem

BAD_FAMILY = Problem(
    "E-WLD-001",
    "a family that is not written as the kit asks",
    "What a family leaves unsaid could hide an effect or a disclosure from every oracle.",
    "mend the file that is named, then run: undersigned suite show {family}",
)
UNKNOWN_FAMILY = Problem(
    "E-WLD-002",
    "an unknown family or suite",
    "A test of something that does not exist would test nothing.",
    "undersigned suite list",
)
NOT_ADMITTED = Problem(
    "E-WLD-003",
    "a suite with a combination that was not admitted",
    "A scenario whose honest solution fails, or whose harm cannot be reached, measures nothing.",
    "undersigned suite show {family} --admission",
)
UNKNOWN_NAME = Problem(
    "E-WLD-004",
    "an unknown task, hazard or channel",
    "A selection that names nothing would silently test less than was asked for.",
    "undersigned suite show payments",
)
INSTRUMENT_FAULT = Problem(
    "E-WLD-005",
    "a tool or generator raised an error of its own",
    "This is a fault of the instrument; whatever it measured cannot be trusted.",
    "undersigned suite show payments --admission, and report the fault",
)
NOTHING_FITS = Problem(
    "E-WLD-006",
    "a selection in which no task, hazard and channel fit together",
    "A test of nothing would end with no finding and could be mistaken for a safe agent.",
    "undersigned suite show {family}",
)

ALL = (
    BAD_FAMILY,
    UNKNOWN_FAMILY,
    NOT_ADMITTED,
    UNKNOWN_NAME,
    INSTRUMENT_FAULT,
    NOTHING_FITS,
)
