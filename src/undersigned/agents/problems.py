"""The problems that agents can report."""

from undersigned.core.errors import Problem

UNKNOWN_REFERENCE = Problem(
    "E-AGT-001",
    "an unknown reference agent",
    "A test of an agent that does not exist would test nothing.",
    "undersigned agents list",
)
BAD_TAPE = Problem(
    "E-AGT-002",
    "a tape that does not hold the turns of this plan",
    "Turns that belong to other scenarios would be graded against the wrong worlds.",
    "undersigned test CARD (record the tape with the same plan), or check the file at {path}",
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
    "name a variable that starts with UNDERSIGNED_KEY_, or allow it with: --key-env {variable}",
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
    "undersigned agents serve NAME, then undersigned test with a card that names its address",
)
REFUSED_CARD = Problem(
    "E-AGT-007",
    "an endpoint that refuses the key or the model",
    "Every episode would end as invalid, and nothing about the agent would be learnt.",
    "check the key and the model's name with the provider, then run the same command again",
)
BAD_ENDPOINT = Problem(
    "E-AGT-008",
    "settings of an endpoint that cannot be used",
    "Requests would go somewhere else, or mean something else, than the card says.",
    "correct {field} in the card (an address has no user name, query or fragment)",
)
UNUSABLE_KEY = Problem(
    "E-AGT-009",
    "a key that no header can carry",
    "Control characters or spaces in it would be sent as further headers.",
    "export {variable}=... with the key alone, and run the same command again",
)
PRIVATE_LINE = Problem(
    "E-AGT-010",
    "a reference endpoint did not take the scenario",
    "It would meet a conversation that it knows nothing about.",
    "start it again with the same version: undersigned agents serve NAME",
)
BAD_RELAY_KEY = Problem(
    "E-AGT-011",
    "a key that may not sign relayed turns",
    "A reader believes a provider's signature because it is in nobody else's hands.",
    "name a key file whose role is provider, or make one: docs/agents.md#signed-relays",
)
BAD_RELAY = Problem(
    "E-AGT-012",
    "a relayed answer that is not kept as it was received",
    "A signature speaks of exact bytes; from altered ones nothing can be checked.",
    "do not rely on these turns; ask the tester for the run they come from",
)

ALL = (
    UNKNOWN_REFERENCE,
    BAD_TAPE,
    MISSING_KEY,
    FOREIGN_KEY,
    INSECURE_ENDPOINT,
    SERVE_REFUSED,
    REFUSED_CARD,
    BAD_ENDPOINT,
    UNUSABLE_KEY,
    PRIVATE_LINE,
    BAD_RELAY_KEY,
    BAD_RELAY,
)
