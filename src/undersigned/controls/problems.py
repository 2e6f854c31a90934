"""The problems that controls can report."""

from undersigned.core.errors import Problem

_CHECK = "correct it, then: undersigned policy check FILE --family NAME"
_SILENT = "A rule that looks as if it held, and does not, is worse than none."

POLICY_SYNTAX = Problem(
    "E-CTL-001",
    "a policy that is no Cedar",
    "What cannot be parsed cannot be enforced; nothing of the policy is used.",
    _CHECK,
)
NO_RULE_ID = Problem(
    "E-CTL-002",
    "a rule without @id",
    "Every decision names the rules that made it; a rule without a name cannot be answered for.",
    'write @id("a-name") before the rule',
)
RULE_ID_TWICE = Problem(
    "E-CTL-003",
    "two rules with one @id",
    "A decision that names it would not say which of the two decided.",
    "give each rule an @id of its own",
)
RULE_ID_NOT_PLAIN = Problem(
    "E-CTL-004",
    "an @id that is not plain",
    "Names with other letters can look alike; some names belong to the machinery's own reasons.",
    "use 1 to 64 of a-z, 0-9 and hyphen, and none of {reserved}",
)
UNKNOWN_NOTE = Problem(
    "E-CTL-005",
    "an annotation that has no meaning here",
    "A mistyped annotation is ignored by Cedar, so an @esle would deny where its author asks.",
    "use @id, @reason and @else only",
)
UNKNOWN_TOOL = Problem(
    "E-CTL-006",
    "a rule for a tool that does not exist",
    _SILENT,
    "name one of: {known}",
)
ILL_TYPED = Problem(
    "E-CTL-007",
    "a rule that does not fit the tools' types",
    "At run time it would err, and Cedar skips a rule that errs.",
    _CHECK,
)
ELSE_ON_PERMIT = Problem(
    "E-CTL-008",
    "an @else on a permit",
    "Only what forbids has something else to offer; on a permit it would do nothing.",
    "put the @else on the forbid that it softens",
)
BAD_ELSE = Problem(
    "E-CTL-009",
    "an @else that cannot be read",
    "What should happen instead must be plain.",
    'write @else("ask") or @else("narrow:ARGUMENT<=NUMBER")',
)
BAD_NARROW = Problem(
    "E-CTL-010",
    "an argument that cannot be lowered",
    "A limit can only be put on an integer argument that every tool of the rule has.",
    "name one of the tool's integer arguments, and a limit in its range: {known}",
)
TEMPLATE = Problem(
    "E-CTL-011",
    "a template",
    "A rule with an open slot decides nothing until it is linked, which is not done here.",
    "write the rule out, without ?principal and ?resource",
)
SCOPE = Problem(
    "E-CTL-012",
    "a scope that cannot be enforced as it reads",
    "There are no groups of agents or things here, so `in` would silently mean less than it says.",
    'leave the scope open, or use == with one Agent::"..." or Thing::"..."',
)
OPERATOR = Problem(
    "E-CTL-013",
    "an operator that is not used here",
    "Facts and arguments hold no entities, tags, decimals or addresses, so it could only mislead "
    "or err.",
    "use comparisons, + - *, has, like, contains, containsAll, containsAny, isEmpty, if-then-else",
)
HIDDEN_CHARACTER = Problem(
    "E-CTL-014",
    "a character in a policy that cannot be seen",
    "A reviewer would sign another rule than the one that is enforced.",
    "remove it, or write it as an escape such as \\u{200b} inside a string",
)
TOOL_UNMAPPED = Problem(
    "E-CTL-015",
    "a tool that a policy cannot speak of",
    "An argument without an exact type in Cedar would be invisible to every rule.",
    "give the argument an exact type: string, integer, boolean, a list or an object of these",
)
NEVER_THERE = Problem(
    "E-CTL-016",
    "a rule that looks for what can never be there",
    _SILENT,
    "name one of: {known}",
)
NO_RULES = Problem(
    "E-CTL-017",
    "a policy without rules",
    "Without a permit everything is denied; an empty file is more likely a mistake.",
    'write at least one permit, for example: @id("read") permit (principal, '
    'action == Action::"TOOL", resource);',
)
POLICY_UNREADABLE = Problem(
    "E-CTL-018",
    "a file for a policy verb that cannot be read",
    "What cannot be read cannot be checked.",
    "give a readable UTF-8 file of the form that undersigned policy --help shows",
)
BAD_FACT_SETTINGS = Problem(
    "E-CTL-030",
    "the tools or the envelope that facts are made of do not fit together",
    "A policy would be shown facts of another tool, or of an envelope that nobody stated.",
    "name each tool once, and each cell within, provisional, undecided, exceeded or outside",
)
UNKNOWN_REVIEWER = Problem(
    "E-CTL-050",
    "a reviewer that does not exist",
    "Who is assumed to answer decides what a control is worth.",
    "name absent, rubber-stamp, or detects:H,F with hit and false-alarm rate in per cent",
)
CALL_TWICE = Problem(
    "E-CTL-051",
    "a call's id that was used before",
    "Nobody could tell which of two acts was allowed, and one in doubt would be tried again.",
    "give every proposal an id of its own",
)

ALL = (
    POLICY_SYNTAX, NO_RULE_ID, RULE_ID_TWICE, RULE_ID_NOT_PLAIN, UNKNOWN_NOTE, UNKNOWN_TOOL,
    ILL_TYPED, ELSE_ON_PERMIT, BAD_ELSE, BAD_NARROW, TEMPLATE, SCOPE, OPERATOR, HIDDEN_CHARACTER,
    TOOL_UNMAPPED, NEVER_THERE, NO_RULES, POLICY_UNREADABLE,
    BAD_FACT_SETTINGS, UNKNOWN_REVIEWER, CALL_TWICE,
)  # fmt: skip
