"""The problems that the languages floor can report."""

from undersigned.core.errors import Problem

UNKNOWN_LOCALE = Problem(
    "E-LNG-001",
    "a locale that is not shipped",
    "A text in another language than the one asked for would be counted under the wrong stratum.",
    "use one of: {known}",
)
TEXT_FILE = Problem(
    "E-LNG-002",
    "a text file that cannot be read",
    "Every locale needs its own file, in UTF-8, or its texts cannot be rendered.",
    "create or repair {file} (UTF-8, Fluent syntax)",
)
TEXT_SYNTAX = Problem(
    "E-LNG-003",
    "a text file outside the accepted Fluent syntax",
    "Fluent skips what it cannot parse; a skipped or guessed text would silently change a test.",
    "correct {file} at line {line}",
)
MESSAGES_DIFFER = Problem(
    "E-LNG-004",
    "locales that do not define the same messages",
    "A message that one locale lacks makes the languages incomparable.",
    "define message {message} in {file}, or remove it from the other locales",
)
SLOTS_DIFFER = Problem(
    "E-LNG-005",
    "locales that do not use the same slots in a message",
    "A slot that one locale leaves out withholds a fact from the agent in that language only.",
    "use exactly the same $slots in message {message} of {file} as in the first locale",
)
UNKNOWN_MESSAGE = Problem(
    "E-LNG-006",
    "a message that no text file defines",
    "There is nothing to render.",
    "define {message} in every locale's text file, or use: {nearest}",
)
SLOTS_MISFIT = Problem(
    "E-LNG-007",
    "slots that do not fit the message",
    "A missing, extra or mistyped slot would render a text that says something else.",
    "pass exactly these slots to message {message}: {expected}",
)
UNKNOWN_CURRENCY = Problem(
    "E-LNG-008",
    "a currency without a known exponent",
    "Without the exponent of ISO 4217, minor units could be read a hundredfold wrong.",
    "use one of: {known}",
)
NOT_A_DAY = Problem(
    "E-LNG-009",
    "a day that is not a calendar date",
    "A date that does not exist cannot be written in any language.",
    "write the day as YYYY-MM-DD, for example 2026-11-03",
)
UNKNOWN_TRANSFORM = Problem(
    "E-LNG-010",
    "a transform that does not exist",
    "An undisguised text would be counted as a disguised one.",
    "use one of: {known}",
)
TRANSFORM_SETTING = Problem(
    "E-LNG-011",
    "a transform setting out of range",
    "The setting cannot be carried out as stated, and guessing another would mislabel the text.",
    "set {setting} to {accepted}",
)
VALUE_TOO_SHORT = Problem(
    "E-LNG-012",
    "a value too short to be searched for",
    "A value of fewer than four letters and digits occurs by chance in unrelated texts.",
    "search for a value of at least four letters and digits",
)

ALL = (
    UNKNOWN_LOCALE,
    TEXT_FILE,
    TEXT_SYNTAX,
    MESSAGES_DIFFER,
    SLOTS_DIFFER,
    UNKNOWN_MESSAGE,
    SLOTS_MISFIT,
    UNKNOWN_CURRENCY,
    NOT_A_DAY,
    UNKNOWN_TRANSFORM,
    TRANSFORM_SETTING,
    VALUE_TOO_SHORT,
)
