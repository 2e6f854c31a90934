"""Does a witness cosign one history of each log only, and remember it before it speaks?"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evidence.dossiers import LOG_KEY, MALLORY, ORIGIN, key
from undersigned.core.canonical import encode
from undersigned.core.errors import EvidenceError, StorageError, UsageError
from undersigned.evidence.equivocation import prove_equivocation, verify_equivocation
from undersigned.evidence.keys import FileKey
from undersigned.evidence.notes import (
    COSIGNATURE,
    Checkpoint,
    Cosigned,
    Receipt,
    Verifier,
    cosign_checkpoint,
    open_checkpoint,
    open_note,
    parse_receipt,
    sign_note,
    verifier_of,
    with_signatures,
)
from undersigned.evidence.tree import EMPTY_ROOT, Tree, leaf_hash
from undersigned.evidence.verify import verify_inclusion
from undersigned.evidence.witness import (
    PROOF_LIMIT,
    REQUEST_LIMIT,
    Answer,
    Request,
    Seen,
    State,
    cosign,
    cosign_durably,
    load_state,
    parse_request,
    request_text,
    save_state,
)

WITNESS = key("witness.example/w1", "witness")
COSIGNER = verifier_of(WITNESS, COSIGNATURE)
LOGS = {ORIGIN: [verifier_of(LOG_KEY)]}
NOW = 1_795_000_000


def grow(name: str, fork: int, size: int) -> Tree:
    """Return a history that shares its first ``fork`` leaves with all others."""
    tree = Tree()
    tree.extend(leaf_hash(b"%d" % i if i < fork else f"{name} {i}".encode()) for i in range(size))
    return tree


HONEST = grow("honest", 80, 80)
FORK = grow("fork", 9, 80)


def signed(tree: Tree, size: int) -> str:
    return sign_note(Checkpoint(ORIGIN, size, tree.root(size)).text(), LOG_KEY)


def asking(tree: Tree, old: int, size: int) -> bytes:
    """Return the request that an honest log with this history makes."""
    return request_text(old, tree.consistency(old, size) if old else [], signed(tree, size))


def ask(state: State, request: bytes, time: int = NOW) -> tuple[State, Answer]:
    """Return what the witness does, after the checks that hold for every answer."""
    changed, answer = cosign(state, request, logs=LOGS, signer=WITNESS, time=time)
    assert (answer.status == 200) is answer.body.startswith("— ")
    assert answer.status == 200 or changed is state
    assert answer.body.endswith("\n")
    if answer.evidence:
        assert answer.status in (400, 409, 422)
        assert verify_equivocation(answer.evidence.text().encode(), LOGS[ORIGIN])
    return changed, answer


def having(tree: Tree, size: int) -> State:
    state, answer = ask(State(), asking(tree, 0, size))
    assert answer.status == 200
    return state


def test_cosign__growing_log__gets_cosignatures_that_verify() -> None:
    state = State()
    for old, size in ((0, 0), (0, 1), (1, 2), (2, 13), (13, 13), (13, 64), (64, 80)):
        time = NOW + size
        state, answer = ask(state, asking(HONEST, old, size), time)
        assert (answer.status, answer.content_type) == (200, "text/plain; charset=utf-8")
        note = with_signatures(signed(HONEST, size), answer.body)
        assert open_note(note, [COSIGNER]).cosigned == (Cosigned(COSIGNER, time),)
        assert state == State((Seen(ORIGIN, signed(HONEST, size), time),))


NOTE = signed(HONEST, 20)
TWO_KEYS = sign_note(Checkpoint(ORIGIN, 20, HONEST.root(20)).text(), LOG_KEY, MALLORY)
PATH = HONEST.consistency(13, 20)


def padded(size: int) -> bytes:
    """Return a good request of so many bytes, with a long line of a stranger."""
    head = b"".join(b"%b\n" % line for line in request_text(13, PATH, "x").splitlines()[:-1])
    start = head + NOTE.encode() + "— stranger".encode()
    rest = size - len(start) - 2
    return start + b"x" * (rest % 4) + b" " + b"A" * (rest - rest % 4) + b"\n"


class Case(NamedTuple):
    """A request to a witness that has cosigned the honest tree of 13, and what it answers."""

    what: str
    status: int
    request: bytes


CASES = [
    Case("next", 200, request_text(13, PATH, NOTE)),
    Case("same again", 200, asking(HONEST, 13, 13)),
    Case("unknown signatures", 200, request_text(13, PATH, NOTE + "— stranger AAAAAAAA\n")),
    Case("not UTF-8", 400, request_text(13, PATH, NOTE) + b"\xff"),
    Case("no old size", 400, b"new 13\n\n" + NOTE.encode()),
    Case("leading zero", 400, b"old 013\n\n" + NOTE.encode()),
    Case("negative", 400, b"old -1\n\n" + NOTE.encode()),
    Case("other digits", 400, "old ١\n\n".encode() + NOTE.encode()),
    Case("two spaces", 400, b"old  13\n\n" + NOTE.encode()),
    Case("carriage return", 400, b"old 13\r\n\n" + NOTE.encode()),
    Case("no empty line", 400, b"old 13\n" + NOTE.partition("\n\n")[0].encode()),
    Case("no checkpoint", 400, b"old 13\n\n"),
    Case("short hash", 400, b"old 13\nAAAA\n\n" + NOTE.encode()),
    Case("base64 of two", 400, b"old 13\n" + b"A" * 42 + b"B=\n\n" + NOTE.encode()),
    Case("too many hashes", 400, b"old 13\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + NOTE.encode()),
    Case("as long as may be", 200, padded(REQUEST_LIMIT)),
    Case("too long", 400, padded(REQUEST_LIMIT + 4)),
    Case("old beyond", 400, request_text(21, [], NOTE)),
    Case("no signature", 400, request_text(13, PATH, NOTE.partition("\n\n")[0] + "\n")),
    Case("cut note", 400, request_text(13, PATH, NOTE[:-1])),
    Case("signed twice", 400, request_text(13, PATH, NOTE + NOTE.rpartition("\n\n")[2])),
    Case("extension", 400, request_text(13, PATH, sign_note(f"{ORIGIN}\n20\nx\ny\n", LOG_KEY))),
    Case("stranger", 403, request_text(13, PATH, sign_note(NOTE.split("\n\n")[0] + "\n", MALLORY))),
    Case("altered", 403, request_text(13, PATH, NOTE.replace("\n20\n", "\n21\n"))),
    Case("other log", 404, request_text(13, PATH, NOTE.replace(ORIGIN, "log.example/x"))),
    Case("stale size", 409, asking(HONEST, 12, 20)),
    Case("from nothing", 409, asking(HONEST, 0, 20)),
    Case("size ahead", 409, asking(HONEST, 14, 20)),
    Case("going back", 409, asking(HONEST, 12, 12)),
    Case("other root", 409, asking(FORK, 13, 13)),
    Case("no proof", 422, request_text(13, [], NOTE)),
    Case("cut proof", 422, request_text(13, PATH[:-1], NOTE)),
    Case("long proof", 422, request_text(13, [*PATH, PATH[0]], NOTE)),
    Case("changed proof", 422, request_text(13, [bytes(32), *PATH[1:]], NOTE)),
    Case("fork", 422, asking(FORK, 13, 20)),
    Case("proof of the same", 422, request_text(13, PATH, signed(HONEST, 13))),
    Case("other root and a proof", 422, request_text(13, PATH, signed(FORK, 13))),
]
PROVEN = ("fork", "other root", "other root and a proof")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_cosign__each_request__is_answered_as_the_standard_asks(case: Case) -> None:
    state = having(HONEST, 13)
    changed, answer = ask(state, case.request, NOW + 1)
    assert answer.status == case.status
    if case.status == 409:
        assert (answer.body, answer.content_type) == ("13\n", "text/x.tlog.size")
    assert (changed != state) is (case.status == 200)
    assert bool(answer.evidence) is (case.what in PROVEN)


EMPTY = signed(Tree(), 0)
IMPOSSIBLE = sign_note(Checkpoint(ORIGIN, 0, bytes(32)).text(), LOG_KEY)


@pytest.mark.parametrize(
    ("known", "old", "proof", "note", "status"),
    [
        (None, 0, [], EMPTY, 200),
        (0, 0, [], EMPTY, 200),
        (None, 0, [], IMPOSSIBLE, 422),
        (0, 0, [], IMPOSSIBLE, 422),
        (None, 0, [EMPTY_ROOT], EMPTY, 422),
        (None, 0, [], signed(HONEST, 1), 200),
        (0, 0, [], signed(HONEST, 1), 200),
        (None, 0, [leaf_hash(b"0")], signed(HONEST, 1), 422),
        (None, 1, [], signed(HONEST, 1), 409),
        (1, 0, [leaf_hash(b"0")], signed(HONEST, 1), 409),
        (1, 0, [], EMPTY, 409),
        (1, 1, [], EMPTY, 400),
    ],
)
def test_cosign__around_size_0__is_answered_as_the_standard_asks(
    known: int | None, old: int, proof: list[bytes], note: str, status: int
) -> None:
    state = State() if known is None else having(HONEST, known)
    answer = ask(state, request_text(old, proof, note))[1]
    assert answer.status == status
    assert status != 409 or answer.body == f"{known or 0}\n"


def test_cosign__forged_line_of_a_second_log_key__refuses_and_leaves_no_trace() -> None:
    keys = [*LOGS[ORIGIN], verifier_of(MALLORY)]
    line = TWO_KEYS.rsplit("\n", 2)[1]
    forged = TWO_KEYS.replace(line, line[:-4] + "AAA=")
    request = request_text(0, [], forged)
    state, answer = cosign(State(), request, logs={ORIGIN: keys}, signer=WITNESS, time=NOW)
    assert (state, answer.status) == (State(), 403)
    state, answer = cosign(State(), request, logs=LOGS, signer=WITNESS, time=NOW)
    assert answer.status == 200, "a key that is not this log's is ignored"
    assert state == having(HONEST, 20), "and its line is not remembered"
    request = request_text(0, [], TWO_KEYS)
    state, answer = cosign(State(), request, logs={ORIGIN: keys}, signer=WITNESS, time=NOW)
    assert (state.logs[0].note, answer.status) == (TWO_KEYS, 200)


def test_cosign__cosignature_by_a_log_key__is_not_the_logs_word() -> None:
    text = Checkpoint(ORIGIN, 20, HONEST.root(20)).text()
    alone = f"{text}\n" + cosign_checkpoint(text, LOG_KEY, NOW)
    keys = [*LOGS[ORIGIN], verifier_of(LOG_KEY, COSIGNATURE)]
    request = request_text(0, [], alone)
    answer = cosign(State(), request, logs={ORIGIN: keys}, signer=WITNESS, time=NOW)[1]
    assert answer.status == 403


def test_cosign__clock_set_back__is_never_cosigned_for_any_log() -> None:
    other = "log.example/other"
    logs = {**LOGS, other: [verifier_of(MALLORY)]}
    state = having(HONEST, 13)
    second = request_text(0, [], sign_note(f"{other}\n0\n{EMPTY.split()[2]}\n", MALLORY))
    for request in (asking(HONEST, 13, 20), asking(HONEST, 13, 13), second):
        changed, answer = cosign(state, request, logs=logs, signer=WITNESS, time=NOW - 1)
        assert (changed, answer.status) == (state, 500)
        assert "clock" in answer.body
    changed, answer = cosign(state, second, logs=logs, signer=WITNESS, time=NOW)
    assert (answer.status, [seen.origin for seen in changed.logs]) == (200, [other, ORIGIN])
    assert ask(state, asking(HONEST, 12, 20), NOW - 1)[1].status == 409


@pytest.mark.parametrize("time", [-1, 2**53])
def test_cosign__clock_that_makes_no_sense__is_refused(time: int) -> None:
    with pytest.raises(UsageError, match="E-EVD-060"):
        cosign(State(), asking(HONEST, 0, 5), logs=LOGS, signer=WITNESS, time=time)


@given(st.data())
def test_cosign__two_sizes_and_a_fork__is_refused_and_proven_when_the_request_suffices(
    data: st.DataObject,
) -> None:
    old = data.draw(st.integers(1, 79))
    size = data.draw(st.integers(old, 80))
    fork = grow("another", data.draw(st.integers(0, old - 1)), 80)
    state, answer = ask(having(HONEST, old), asking(fork, old, size), NOW + 1)
    assert answer.status == (409 if old == size else 422)
    is_power = old & (old - 1) == 0
    assert bool(answer.evidence) is (old == size or not is_power)
    if is_power and old < size:
        seeded = [fork.root(old), *fork.consistency(old, size)]
        answer = ask(state, request_text(old, seeded, signed(fork, size)), NOW + 1)[1]
        assert answer.status == 422
        assert answer.evidence, "the seed that the standard omits completes the proof"


def test_cosign__smaller_fork_with_a_path_in_what_is_known__is_proven() -> None:
    request = request_text(13, HONEST.consistency(11, 13), signed(FORK, 11))
    answer = ask(having(HONEST, 13), request)[1]
    assert answer.status == 400
    assert answer.evidence is not None
    assert "\n11\n" in answer.evidence.older


def test_cosign__log_key_changed_since__gives_no_evidence_that_would_not_verify() -> None:
    state = having(HONEST, 13)
    logs = {ORIGIN: [verifier_of(MALLORY)]}
    forked = sign_note(Checkpoint(ORIGIN, 20, FORK.root(20)).text(), MALLORY)
    request = request_text(13, FORK.consistency(13, 20), forked)
    answer = cosign(state, request, logs=logs, signer=WITNESS, time=NOW)[1]
    assert (answer.status, answer.evidence) == (422, None)


HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=PROOF_LIMIT).map(tuple)


@given(st.integers(0, 2**50), HASHES, st.text(st.characters(codec="utf-8"), min_size=1))
def test_request__any__is_read_back_as_written(
    old: int, proof: tuple[bytes, ...], note: str
) -> None:
    data = request_text(old, proof, note)
    request = parse_request(data)
    assert request == Request(old, proof, note)
    assert request_text(request.old, request.proof, request.note) == data


def written_again(data: bytes) -> bytes | str:
    """Return a request's bytes as written again from what was read, or the refusal's code."""
    try:
        request = parse_request(data)
    except EvidenceError as error:
        return error.code
    return request_text(request.old, request.proof, request.note)


@given(st.binary() | st.text().map(str.encode))
def test_request__any_bytes__are_refused_or_read_in_one_way(data: bytes) -> None:
    for head in (b"", b"old 7\n", b"old 7\n\n"):
        assert written_again(head + data) in (head + data, "E-EVD-063")


@pytest.mark.parametrize(
    ("old", "proof", "note"),
    [(-1, [], NOTE), (1, [b"x" * 31], NOTE), (1, [bytes(32)] * 64, NOTE), (1, [], "")],
)
def test_request_text__beyond_the_limits__is_refused(
    old: int, proof: list[bytes], note: str
) -> None:
    with pytest.raises(EvidenceError, match="E-EVD-063"):
        request_text(old, proof, note)


def durably(path: Path, request: bytes, time: int = NOW, *, create: bool = False) -> Answer:
    return cosign_durably(
        path, request, logs=LOGS, signer=WITNESS, clock=lambda: time, create=create
    )


def test_cosign_durably__state__survives_and_is_canonical(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "witness.json"
    assert durably(path, asking(HONEST, 0, 13), create=True).status == 200
    state = load_state(path)
    assert state == having(HONEST, 13)
    assert path.read_bytes() == encode(state)
    assert durably(path, asking(HONEST, 0, 20), NOW + 1).body == "13\n"
    assert durably(path, asking(HONEST, 13, 20), NOW - 1).status == 500
    assert path.read_bytes() == encode(state), "refusals leave the file as it is"
    assert durably(path, asking(HONEST, 13, 20), NOW + 1).status == 200
    assert load_state(path).logs[0].time == NOW + 1


def test_cosign_durably__state_lost__never_starts_over(tmp_path: Path) -> None:
    path = tmp_path / "witness.json"
    for lost in (path, tmp_path / "gone" / "witness.json"):
        with pytest.raises(StorageError, match="E-EVD-061"):
            durably(lost, asking(HONEST, 0, 13))
    assert not path.exists()
    assert load_state(path, create=True) == State()


def test_cosign_durably__state_that_cannot_be_written__gives_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "witness.json"
    durably(path, asking(HONEST, 0, 13), create=True)
    before = path.read_bytes()
    blocked = path.with_name(f".{path.name}.{os.getpid()}.part")
    blocked.mkdir()
    with pytest.raises(StorageError, match="E-COR-004"):
        durably(path, asking(HONEST, 13, 20))
    blocked.rmdir()
    assert path.read_bytes() == before
    assert durably(path, asking(HONEST, 13, 20)).status == 200


def test_cosign_durably__place_that_cannot_be_locked__is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for create in (False, True):
        with pytest.raises(StorageError, match="E-COR-004"):
            durably(tmp_path / "file" / "witness.json", asking(HONEST, 0, 1), create=create)


KEPT = State((Seen(ORIGIN, signed(HONEST, 13), NOW),))
OTHER = Seen("log.example/zz", EMPTY.replace(ORIGIN, "log.example/zz"), NOW)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        encode(KEPT) + b"\n",
        encode(KEPT)[:-20],
        json.dumps(json.loads(encode(KEPT))).encode(),
        encode(KEPT).replace(b"witness.v1", b"witness.v2"),
        encode(State(KEPT.logs * 2)),
        encode(State((OTHER, *KEPT.logs))),
        encode(State((msgspec.structs.replace(OTHER, origin=ORIGIN),))),
        encode(State((msgspec.structs.replace(OTHER, note="x"),))),
        encode(State((msgspec.structs.replace(OTHER, time=-1),))),
    ],
)
def test_load_state__damaged__is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "witness.json").write_bytes(data)
    for create in (False, True):
        with pytest.raises(StorageError, match="E-EVD-062"):
            load_state(tmp_path / "witness.json", create=create)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 2**53 - 1)), max_size=8))
def test_state__any__is_read_back_as_written(
    tmp_path_factory: pytest.TempPathFactory, seen: list[tuple[int, int]]
) -> None:
    state = State()
    for number, time in seen:
        origin = f"log.example/é{number}"
        state = state.having(Seen(origin, EMPTY.replace(ORIGIN, origin), time))
    path = tmp_path_factory.mktemp("state") / "witness.json"
    save_state(path, state)
    assert load_state(path) == state


RACER = """
import sys
from pathlib import Path
from tests.evidence.test_witness import HONEST, asking, durably

path, step = Path(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
known = 0
while known + step <= HONEST.size:
    answer = durably(path, asking(HONEST, known, known + step))
    if answer.status == 200:
        print(known, known + step)
        known += step
    else:
        assert answer.status == 409, answer
        known = int(answer.body)
"""


def test_cosign_durably__two_processes_at_once__make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "witness.json"
    save_state(path, State())
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root}:{root / 'src'}"}
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(path), step],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for step in ("1", "2")
    ]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    moves = []
    for racer in racers:
        out, _ = racer.communicate(timeout=600)
        assert racer.returncode == 0
        moves += [tuple(map(int, line.split())) for line in out.splitlines()]
    moves.sort()
    at = 0
    for old, size in moves:
        assert old == at, "two requests were cosigned from one size: a roll-back"
        at = size
    assert load_state(path).logs[0].checkpoint.size == at


class Member(NamedTuple):
    """One of several independent witnesses, and the sizes and branches it has cosigned."""

    signer: FileKey
    state: State
    cosigned: tuple[tuple[int, str], ...]


def forked_run(choose: random.Random, branches: dict[str, Tree], witnesses: int) -> list[Member]:
    """Let a dishonest log show a branch of its choice to each witness, again and again."""
    names = [f"witness.example/w{i}" for i in range(witnesses)]
    members = [Member(key(name, "witness"), State(), ()) for name in names]
    for step in range(12 * witnesses):
        at = choose.randrange(witnesses)
        member = members[at]
        seen = member.state.of(ORIGIN)
        old = seen.checkpoint.size if seen else 0
        name = choose.choice(sorted(branches))
        size = choose.randint(old, min(old + 9, 80))
        request = asking(branches[name], old, size)
        state, answer = cosign(
            member.state, request, logs=LOGS, signer=member.signer, time=NOW + step
        )
        if answer.status == 200:
            members[at] = Member(member.signer, state, (*member.cosigned, (size, name)))
    return members


def is_consistent(one: tuple[int, str], other: tuple[int, str], branches: dict[str, Tree]) -> bool:
    (size, _), (_, longer) = pair = sorted((one, other))
    return branches[pair[0][1]].root(size) == branches[longer].root(size)


@settings(max_examples=25)
@given(st.randoms(use_true_random=False), st.integers(0, 40), st.integers(1, 5))
def test_witnesses__one_dishonest_log__no_majority_for_two_histories_and_states_convict_it(
    choose: random.Random, fork: int, witnesses: int
) -> None:
    branches = {"a": grow("a", fork, 80), "b": grow("b", fork, 80)}
    members = forked_run(choose, branches, witnesses)
    for member in members:
        assert all(is_consistent(x, y, branches) for x, y in combinations(member.cosigned, 2))
    quorum = witnesses // 2 + 1
    votes: dict[tuple[int, str], int] = {}
    for member in members:
        for mark in {(s, n if s > fork else "a") for s, n in member.cosigned}:
            votes[mark] = votes.get(mark, 0) + 1
    accepted = [mark for mark, count in votes.items() if count >= quorum]
    assert all(is_consistent(x, y, branches) for x, y in combinations(accepted, 2))
    for one, other in combinations([member for member in members if member.cosigned], 2):
        first, second = sorted((one, other), key=lambda member: member.cosigned[-1][0])
        notes = [member.state.logs[0].note for member in (first, second)]
        tree = branches[second.cosigned[-1][1]]
        proof = prove_equivocation(notes[0], notes[1], tree, LOGS[ORIGIN])
        agree = is_consistent(first.cosigned[-1], second.cosigned[-1], branches)
        assert (proof is None) is agree
        assert not proof or verify_equivocation(proof.text().encode(), LOGS[ORIGIN])


def test_forked_run__log_that_forks__really_splits_the_witnesses() -> None:
    branches = {"a": grow("a", 5, 80), "b": grow("b", 5, 80)}
    members = forked_run(random.Random(1), branches, 5)
    latest = [member.cosigned[-1] for member in members]
    assert {name for _, name in latest} == {"a", "b"}
    assert any(not is_consistent(x, y, branches) for x, y in combinations(latest, 2))


def cosigned_note(tree: Tree, signers: Sequence[FileKey]) -> str:
    point = Checkpoint(ORIGIN, tree.size, tree.root())
    note = sign_note(point.text(), LOG_KEY)
    return with_signatures(note, [cosign_checkpoint(point.text(), s, NOW) for s in signers])


def test_receipt__a_million_entries_and_three_witnesses__is_at_most_1600_bytes() -> None:
    tree = Tree()
    tree.extend(leaf_hash(b"%d" % number) for number in range(1_000_000))
    signers = [key(f"witness.example/w{number}", "witness") for number in range(3)]
    index = 314_159
    text = Receipt(
        index, tuple(tree.inclusion(index, tree.size)), cosigned_note(tree, signers)
    ).text()
    assert len(text.encode()) <= 1600
    receipt = parse_receipt(text)
    known: list[Verifier] = [*LOGS[ORIGIN], *(verifier_of(s, COSIGNATURE) for s in signers)]
    point = open_checkpoint(receipt.checkpoint, known, ORIGIN)
    assert len(open_note(receipt.checkpoint, known).cosigned) == 3
    leaf = leaf_hash(b"%d" % index)
    assert verify_inclusion(leaf, receipt.index, point.size, receipt.hashes, point.root)
