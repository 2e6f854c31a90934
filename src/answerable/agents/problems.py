"""The problems that agents can report."""

from answerable.core.errors import Problem

UNKNOWN_REFERENCE = Problem(
    "E-AGT-001",
    "an unknown reference agent",
    "A test of an agent that does not exist would test nothing.",
    "answerable agents list",
)
BAD_TAPE = Problem(
    "E-AGT-002",
    "a tape that does not hold the turns of this plan",
    "Turns that belong to other scenarios would be graded against the wrong worlds.",
    "answerable test CARD (record the tape with the same plan), or check the file at {path}",
)
MISSING_KEY = Problem(
    "E-AGT-003",
    "the key for the endpoint is missing",
    "Nothing was sent and nothing was spent.",
    "export {variable}=... and run the same command again",
)
FOREIGN_KEY = Problem(
    "E-AGT-004",
    "a card names a key variable that it may not read",
    "A card from elsewhere could otherwise send any secret of this machine to its own host.",
    "name a variable that starts with ANSWERABLE_KEY_, or allow it with: --key-env {variable}",
)
INSECURE_ENDPOINT = Problem(
    "E-AGT-005",
    "an endpoint that is neither https nor on this machine",
    "The key and the conversation would be readable on the way.",
    "use an https:// address",
)
SERVE_REFUSED = Problem(
    "E-AGT-006",
    "a reference endpoint cannot serve this",
    "A reference agent needs its scenario over the private channel that the test opens.",
    "answerable agents serve NAME, then answerable test with a card that names its address",
)

ALL = (
    UNKNOWN_REFERENCE,
    BAD_TAPE,
    MISSING_KEY,
    FOREIGN_KEY,
    INSECURE_ENDPOINT,
    SERVE_REFUSED,
)
