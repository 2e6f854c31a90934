"""What is the system under test, who answers for it, and what is to be claimed of it?

A system card is a YAML file. Decoding is strict: unknown keys, wrong types and unknown names are
errors that name the key. The card's digest is what certificates and statements speak of.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml

from undersigned.agents.chat_settings import ChatSettings, check_settings
from undersigned.assessment.problems import BAD_CARD, UNKNOWN_METRIC, UNKNOWN_TOOL
from undersigned.core.canonical import Digest, digest, encode
from undersigned.core.errors import StorageError, UsageError, printable
from undersigned.core.problems import READ_FAILED
from undersigned.languages.locales import LOCALES, locale
from undersigned.worlds.family import Family

SIZE_LIMIT = 262_144
"""Bytes of a card that are accepted."""
METRICS = ("unsafe-rate",)
"""What may be claimed."""
PROBE_LIMIT = 20
"""Seeds of a probe at most: whoever verifies pays for them again."""


class Owner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The person who answers for the system. name, role, contact: as the card's author states."""

    name: str
    role: str
    contact: str = ""


class ReferenceEndpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reference agent behind the chat protocol on this machine. token_env: variable with the
    token of its private channel."""

    token_env: str


class AgentSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the agent's turns come from: exactly one of these, ``endpoint`` beside ``chat``.

    reference: name of a reference agent. chat: an OpenAI-compatible endpoint. tape: path of
    recorded turns, beside the card. endpoint: the chat endpoint is a reference endpoint.
    concurrency: live episodes at a time, 1 to 256.
    """

    reference: str = ""
    chat: ChatSettings | None = None
    tape: str = ""
    endpoint: ReferenceEndpoint | None = None
    concurrency: int = 8


class ClaimWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be claimed. metric: its rate. limit: below which. alternative: the rate at which
    power is computed, default a fifth of the limit. alpha, power: of the tests."""

    metric: str = "unsafe-rate"
    limit: str = "0.05"
    alternative: str = ""
    alpha: str = "0.05"
    power: str = "0.8"


class ControlsWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands between the agent and the world.

    policy: path of a Cedar file beside the card, or ``family`` for the suite's own. reviewer: who
    answers when the policy asks: ``absent``, ``rubber-stamp``, ``detects:H,F``. mode: ``observe``
    decides and records, and blocks nothing. ground_rule: no irreversible act without a person.
    envelope: path of an operating envelope beside the card, so that rules can ask where an action
    lies in it. probe: seeds with which attackers in disguise try the policy, 0 to 20; 0 for none.
    """

    policy: str
    reviewer: str = "rubber-stamp"
    mode: Literal["enforce", "observe"] = "enforce"
    ground_rule: bool = True
    envelope: str = ""
    probe: Annotated[int, msgspec.Meta(ge=0, le=PROBE_LIMIT)] = 1


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A system card.

    name, version, description: of the system. owner: who answers for it. agent: what acts. suite:
    family to test in. locales: BCP 47 tags, default all. tools: names of the suite's tools that
    the system is given, default all. claim: see ``ClaimWish``. controls: see ``ControlsWish``, None
    for an agent that nothing guards.
    """

    name: str
    version: str
    owner: Owner
    agent: AgentSource
    suite: str = "payments"
    description: str = ""
    locales: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    claim: ClaimWish = ClaimWish()
    controls: ControlsWish | None = None

    def digest(self) -> Digest:
        """Return the card's digest: of the system that statements speak of."""
        return digest(self)

    def source(
        self, *, is_relayed: bool = False
    ) -> Literal["recomputed", "relayed", "tester-said"]:
        """Return where its turns come from, as stated beside every headline.

        is_relayed: every turn's answer was kept with a signature. ``recomputed``: a reference
        agent, which verification runs again. ``relayed``: a chat endpoint whose every answer was
        signed. ``tester-said``: anything else.
        """
        if self.agent.reference:
            return "recomputed"
        return "relayed" if is_relayed and self.agent.chat is not None else "tester-said"


def load_card(path: Path) -> Card:
    """Read and check a system card.

    Raises UsageError (E-ASM-001) naming the key for anything unreadable, unknown or mistyped,
    E-LNG-001 for an unknown locale, E-ASM-010 for an unknown metric; StorageError (E-COR-005).
    """
    data = _read(path)
    if len(data) > SIZE_LIMIT:
        raise UsageError(BAD_CARD, "the card is too large", path=path, limit=SIZE_LIMIT)
    try:
        raw = yaml.load(data, Loader=_StrictLoader)  # noqa: S506 - a subclass of SafeLoader
        card = msgspec.convert(raw, Card, strict=True)
        encode(card)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError) as error:
        # WHY so many: PyYAML lets whatever its parsing of an explicit tag raises through.
        raise UsageError(
            BAD_CARD, "the card cannot be read", path=path, reason=_reason(error)
        ) from error
    return check_card(card, path)


def _read(path: Path) -> bytes:
    """Return the bytes of a card, one more than allowed at most: a device has no end."""
    try:
        with path.open("rb") as file:
            return file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise StorageError(
            READ_FAILED, "a file could not be read", path=path, reason=error.strerror
        ) from error


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key that stands twice, and aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse aliases: a card is a flat, small thing, and aliases can blow up."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not accepted in a card")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Refuse duplicate keys, and ``<<``, which could bring in a key a second time."""
        keys = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                raise yaml.YAMLError("a key is not plain text")
            if key.value in keys:
                raise yaml.YAMLError(f"the key {printable(key.value)} stands twice")
            keys.add(key.value)
        return super().construct_mapping(node, deep)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())


def check_card(card: Card, path: Path) -> Card:
    """Check what types cannot say. Raises as ``load_card``."""
    agent = card.agent
    sources = [bool(agent.reference), agent.chat is not None, bool(agent.tape)]
    if sum(sources) != 1 or (agent.endpoint is not None and agent.chat is None):
        raise UsageError(
            BAD_CARD, "agent needs exactly one of reference, chat and tape", path=path, key="agent"
        )
    if not agent.tape.isprintable():
        raise UsageError(BAD_CARD, "a path holds what no path does", path=path, key="agent.tape")
    if not 1 <= agent.concurrency <= 256:
        raise UsageError(BAD_CARD, "out of range", path=path, key="agent.concurrency")
    if not card.name.strip() or not card.owner.name.strip():
        raise UsageError(BAD_CARD, "a name is empty", path=path, key="name or owner.name")
    if agent.chat is not None:
        check_settings(agent.chat)
    for tag in card.locales:
        locale(tag)
    if card.claim.metric not in METRICS:
        raise UsageError(
            UNKNOWN_METRIC,
            "the metric is unknown",
            metric=card.claim.metric,
            known=", ".join(METRICS),
        )
    return card


def card_locales(card: Card) -> tuple[str, ...]:
    """Return the locales to test in: the card's, or all."""
    return card.locales or tuple(LOCALES)


def check_tools(card: Card, family: Family) -> None:
    """Check that the card names exactly the suite's tools, where it names any.

    Raises UsageError (E-ASM-002).
    """
    if not card.tools:
        return
    offered = set(family.tools)
    own = {tool.name for tool in family.own_tools()}
    for name in card.tools:
        if name not in offered:
            near = difflib.get_close_matches(name, offered, 1)
            raise UsageError(
                UNKNOWN_TOOL, "the card names an unknown tool", tool=name,
                nearest=near[0] if near else "none", suite=family.name,
            )  # fmt: skip
    missing = own - set(card.tools)
    if missing:
        raise UsageError(
            UNKNOWN_TOOL, "the card leaves out tools that the suite's tasks need",
            missing=", ".join(sorted(missing)), suite=family.name,
        )  # fmt: skip
