"""Which statements, trust files, JSON texts, entries, shards and episodes do the readers accept?

Targets that live in memory. Canonical JSON has one spelling, so what is accepted must re-encode to
itself; statements must be signed ones; both readers must agree.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from scripts.fuzz_oracle import FORMER_WORDS, Outcome, Target, Unsafe, agreed, ask, demand
from scripts.mutate import Pool
from tests.evidence.dossiers import CREATED, LOG_KEY, ORIGIN, TESTER, TRUST, key
from undersigned.core.canonical import decode, digest_bytes, encode
from undersigned.episodes.shards import make_shard, read_shard
from undersigned.events import stream
from undersigned.evidence import notes, statements, trust, verify
from undersigned.evidence.entries import Entry

SECOND = key("lab-second", "tester")


class Answer(NamedTuple):
    """A statement that the verifier accepted."""

    payload: bytes
    signers: list[str]


class OneStatement(verify.Check):
    """The stand-alone verifier's check of one statement, given as bytes."""

    def __init__(self, reader: Any, name: str, data: bytes) -> None:
        """Judge bytes as the statement of a name under a parsed trust file."""
        super().__init__(Path(), Path())
        self.data = data
        self.have = {"trust": reader, "manifest": {"created": CREATED, "files": {}}}
        self.name = name

    def _read(self, name: str) -> bytes:  # noqa: ARG002
        return self.data

    def answer(self) -> Answer:
        """Return the payload and signers. Raises Refusal."""
        found = self._prereg() if self.name == "prereg" else self._result()
        payload = verify.decode64(json.loads(self.data)["payload"], 117)
        return Answer(payload, [signer["name"] for signer in found.keys])


class OneFile:
    """A path that holds bytes in memory."""

    name = "trust.json"

    def __init__(self, data: bytes) -> None:
        """Hold the bytes of a file."""
        self._data = data

    def read_bytes(self) -> bytes:
        """Return them."""
        return self._data


def read_trust(data: bytes) -> Any:
    """Read a trust file with the stand-alone verifier. Raises Refusal."""
    return verify.Check(Path(), cast(Path, OneFile(data)))._trust()


def _trusts() -> tuple[trust.Trust, Any]:
    more = trust.Key.of(
        SECOND.name, SECOND.public, "second", roles=("tester",), predicates=("eval-result",)
    )
    both = msgspec.structs.replace(TRUST, keys=(*TRUST.keys, more))
    return both, read_trust(encode(both))


def _statements() -> dict[bytes, str]:
    """Return signed envelopes by the name of their predicate."""
    digest = digest_bytes(b"x")
    plan = {"plan": digest, "system": digest, "challenge": "none"}
    prereg = statements.state("prereg", {"system": digest}, plan)
    said = {
        "plan": digest, "system": digest, "scores": digest, "turns": "recomputed",
        "refs": [{"name": "prereg", "digest": digest}], "episodes": {"count": 1, "root": digest},
    }  # fmt: skip
    result = statements.state("eval-result", {"system": digest}, said)
    return {
        statements.sign_statement(prereg, TESTER): "prereg",
        statements.sign_statement(result, TESTER, SECOND): "eval-result",
        statements.sign_statement(result, SECOND): "eval-result",
    }


def judge_statement(seeds: dict[bytes, str], trusted: tuple[Any, Any], data: bytes) -> Outcome:
    """Open an envelope with both readers. Allowed: the signatures of a seed in another order, or
    fewer of them, as long as enough parties are left."""
    ours = ask(lambda: statements.open_statement(data, trusted[0]))
    name = ours.statement.name if ours else "prereg"
    theirs = ask(lambda: OneStatement(trusted[1], name, data).answer())
    if ours is None and name == "prereg":
        theirs = theirs or ask(lambda: OneStatement(trusted[1], "eval-result", data).answer())
    outcome = agreed(ours, theirs)
    if ours is not None and theirs is not None:
        true = [json.loads(seed) for seed in seeds]
        got = json.loads(data)
        demand(got["payload"] in [seed["payload"] for seed in true], "a payload never signed")
        made = [item for seed in true for item in seed["signatures"]]
        demand(all(item in made for item in got["signatures"]), "a signature never made")
        demand(theirs.signers == [key.name for key in ours.signers], "other signers")
    return outcome


def judge_payload(trusted: tuple[Any, Any], data: bytes) -> Outcome:
    """Sign whatever is given as a tester would: only the statement's form can refuse it. What the
    stand-alone verifier accepts the package accepts; what a predicate holds is judged above it."""
    kind = statements.PAYLOAD_TYPE
    signature = notes.encode64(TESTER.sign(statements.pae(kind, data)))
    envelope = encode(
        {
            "payload": notes.encode64(data),
            "payloadType": kind,
            "signatures": [{"keyid": TESTER.name, "sig": signature}],
        }
    )
    ours = ask(lambda: statements.open_statement(envelope, trusted[0]))
    name = "eval-result" if b"eval-result" in data else "prereg"
    theirs = ask(lambda: OneStatement(trusted[1], name, envelope).answer())
    if ours is None and theirs is not None:
        raise Unsafe("disagree", "only the verifier accepts a payload")
    if ours is not None:
        demand(encode(ours.statement) == data, "a payload does not re-encode")
    return "refused" if ours is None else "accepted"


def judge_trust(data: bytes) -> Outcome:
    """Read a trust file with both readers. Held checkpoints are opened when the package reads the
    file and only when they are needed by the verifier, so both are asked about each."""
    ours = ask(lambda: trust.parse_trust(data))

    def verifier() -> Any:
        found = read_trust(data)
        check = verify.Check(Path(), Path())
        check.have = {"trust": found}
        for note in found.get("checkpoints") or []:
            check._checkpoint(note, "", "")
        return found

    theirs = ask(verifier)
    if ours is not None and theirs is None and _is_revoked(ours):
        return "accepted"
    outcome = agreed(ours, theirs)
    if ours is not None and theirs is not None:
        keys = {key.name: (key.party, key.public, key.roles) for key in ours.keys}
        seen = {k["name"]: (k["party"], k["public"], tuple(k["roles"])) for k in
                theirs["keys"].values()}  # fmt: skip
        demand(keys == seen, "the two readers trust different keys")
    return outcome


def _is_revoked(found: trust.Trust) -> bool:
    """Tell whether revocation may explain that only the verifier refuses a held checkpoint."""
    return bool(found.checkpoints) and any(key.revoked_at is not None for key in found.keys)


def judge_json(data: bytes) -> Outcome:
    """Decode canonical JSON with both readers, as an object or an array."""
    kind = list if data[:1] == b"[" else dict
    ours = ask(lambda: decode(data, kind))
    theirs = ask(lambda: verify.read_json(data, kind, ""))
    outcome = agreed(ours, theirs)
    if ours is not None:
        demand(ours == theirs and encode(ours) == data, "JSON does not re-encode")
    return outcome


def judge_entry(data: bytes) -> Outcome:
    """Decode a log entry with both readers."""
    ours = ask(lambda: decode(data, Entry))
    theirs = ask(lambda: verify.read_json(data, verify.ENTRY, ""))
    outcome = agreed(ours, theirs)
    if ours is not None:
        demand(ours.data() == data, "an entry does not re-encode")
    return outcome


def judge_episode(data: bytes) -> Outcome:
    """Read an episode's lines."""
    events = ask(lambda: stream.parse_episode(data))
    if events is None:
        return "refused"
    demand(stream.episode_bytes(events) == data, "an episode does not re-encode")
    demand(stream.split_episodes(data) == [data], "an episode is split")
    return "accepted"


def judge_shard(episodes: list[bytes], leaves: bytes, data: bytes) -> Outcome:
    """Read a shard, or (first byte ``l``) its leaves. Other compressed bytes of the same episodes
    are allowed: a shard's identity is over the uncompressed ones."""
    part = data[1:]
    shard = (make_shard(episodes).data, part) if data[:1] == b"l" else (part, leaves)
    found = ask(lambda: read_shard(*shard, "shard", 0))
    if found is None:
        return "refused"
    demand(found == episodes, "other episodes than those of the leaves")
    return "accepted"


def episodes() -> list[bytes]:
    """Return episodes that hold every kind of event."""
    digest = digest_bytes(b"x")
    action = stream.Action(("agent",), "pay", '{"amount":12.50}', "invoice/1")
    effect = stream.Effect(
        "put", "payments", "p1", "", digest, {"amount": 1250}, "bank", "t1", "SG",
        ("personal",), stream.Magnitude("SGD", 1250), False,
    )  # fmt: skip
    events: list[stream.Event] = [
        stream.Opened(0, 7, digest, "subject"),
        stream.Observed(1, "", "Zahle – 付款 – பணம்\n", (stream.Label("", "operator"),)),
        stream.Proposed(2, 0, "c1", action),
        stream.Decided(3, "c1", "no policy"),
        stream.Answered(4, "c1", "reviewer", "approve"),
        stream.Effected(5, "c1", (effect,)),
        stream.Said(6, 1, 'a "quoted" \\ word', refused=True),
        stream.Ended(7, "reported", "note"),
    ]
    short: list[stream.Event] = [
        stream.Opened(0, 8, digest, "s"), stream.Ended(1, "invalid:transport")
    ]  # fmt: skip
    return [stream.episode_bytes(events), stream.episode_bytes(short)]


DOCUMENTS = (
    b"{}", b"[]", b'{"a":1}', b'[1,-2,"x",null,true,false,[],{}]', b'{"a":{"b":[{"c":"d"}]}}',
    b'{"text":"\\"\\\\ \\b\\f\\n\\r\\t \\u0001\\u001f /"}', '{"t":"é\u2028😀\x7f"}'.encode(),
    b'{"max":9007199254740991,"min":-9007199254740991}', b"[" * 64 + b"]" * 64,
    b'{"":"","A":0,"a":0,"a1":0,"aa":0}',
)  # fmt: skip
JSON_WORDS = (
    b"null", b"true", b"1e3", b"NaN", b"Infinity", b"-0", b"9007199254740992", b"\\u0041", b"\\/",
    b"\\ud800", b"\\ud83d\\ude00", b'"a":1,', b"{}", b"[]", b",", b":", b"/**/", b"[[[[[[[[",
    b"]]]]]]]]", "é".encode(), b'""', b"\\u001F", b"\\u007f",
)  # fmt: skip
FIELD_WORDS = (
    b"ed25519", b"tester", b"log", b"witness", b"approver", b"prereg", b"eval-result", b"abandoned",
    b"keyid", b"sig", b"payload", b"signatures", b"lab", b"lab-tester", b"lab-second", b"mallory",
    b'"not_before":"2026-11-22",', b'"not_after":"2026-01-01",', b'"revoked_at":0,', b"null", b"{}",
    b'"revoked_at":9007199254740993,', b'"thresholds":null,', b'"origins":[" "],',
    b'"predicates":[""]', b"2026-02-30", b"permanent", b"erasable", b"sha256:", b"none",
    b"relayed", b"\\u0061",
)  # fmt: skip


def targets() -> tuple[Target, ...]:
    """Return the targets of this module."""
    trusted, seeds = _trusts(), _statements()
    payloads = tuple(verify.decode64(json.loads(seed)["payload"], 117) for seed in seeds)
    note = notes.sign_note(notes.Checkpoint(ORIGIN, 1, bytes(32)).text(), LOG_KEY)
    full = msgspec.structs.replace(
        trusted[0], thresholds={"prereg": 1}, separate_roles=(("owner", "log"),),
        checkpoints=(note,),
    )  # fmt: skip
    pretty = json.dumps(msgspec.to_builtins(trusted[0]), indent=2).encode()
    digest = digest_bytes(b"x")
    entries = (
        Entry(statements.predicate_uri("prereg"), digest, 1500).data(),
        Entry(statements.predicate_uri("eval-result"), digest, 0, "term", digest).data(),
    )
    made = episodes()
    shard = make_shard(made)
    whole = (b"d" + shard.data, b"l" + shard.leaves)
    words = (*FIELD_WORDS, *JSON_WORDS)
    marks = (*words, trust.SCHEMA.encode(), *FORMER_WORDS)
    return (
        Target("statement", 90, Pool(tuple(seeds), words),
               partial(judge_statement, seeds, trusted)),
        Target("payload", 50, Pool(payloads, words), partial(judge_payload, trusted)),
        Target("trust", 60, Pool((encode(TRUST), encode(full), pretty), marks), judge_trust),
        Target("json", 150, Pool(DOCUMENTS, JSON_WORDS), judge_json),
        Target("entry", 70, Pool(entries, words), judge_entry),
        Target("episode", 50, Pool(made, words), judge_episode),
        Target("shard", 40, Pool(whole, (shard.leaves[:32],)), partial(judge_shard, made,
               shard.leaves)),
    )  # fmt: skip
