"""Is every log that signed two histories convicted, and never one that did not?"""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.evidence.dossiers import LOG_KEY, MALLORY, ORIGIN, key
from tests.evidence.test_tree import cases, proof, raw
from undersigned.core.canonical import encode
from undersigned.core.errors import EvidenceError
from undersigned.evidence.equivocation import (
    PATH_LIMIT,
    SIZE_LIMIT,
    Equivocation,
    omits_seed,
    parse_equivocation,
    prove_equivocation,
    recompute_roots,
    verify_equivocation,
)
from undersigned.evidence.notes import (
    COSIGNATURE,
    Checkpoint,
    cosign_checkpoint,
    encode64,
    sign_note,
    verifier_of,
    with_signatures,
)
from undersigned.evidence.tree import Tree, leaf_hash

KEYS = [verifier_of(LOG_KEY)]
WITNESS = key("witness.example/w1", "witness")
LIMIT = 140


def tree_of(name: str, fork: int, size: int = LIMIT) -> Tree:
    """Return a history that shares its first ``fork`` leaves with all others."""
    tree = Tree()
    tree.extend(leaf_hash(b"%d" % i if i < fork else f"{name} {i}".encode()) for i in range(size))
    return tree


HONEST = tree_of("honest", LIMIT)


def signed(tree: Tree, size: int) -> str:
    return sign_note(Checkpoint(ORIGIN, size, tree.root(size)).text(), LOG_KEY)


def proven(older: str, newer: str, tree: Tree) -> Equivocation:
    charge = prove_equivocation(older, newer, tree, KEYS)
    assert charge is not None
    return charge


@given(st.data())
def test_prove__any_fork_and_two_sizes_beyond_it__convicts(data: st.DataObject) -> None:
    newer = data.draw(st.integers(1, LIMIT))
    older = data.draw(st.integers(1, newer))
    fork = data.draw(st.integers(0, older - 1))
    one, other = tree_of("one", fork), tree_of("other", fork)
    charge = proven(signed(one, older), signed(other, newer), other)
    text = charge.text().encode()
    assert verify_equivocation(text, KEYS)
    assert parse_equivocation(text) == charge
    assert bool(charge.hashes) is (older < newer)


@given(st.integers(1, LIMIT), st.integers(1, LIMIT), st.integers(1, LIMIT))
def test_prove__sizes_before_the_fork__are_no_charge(one: int, two: int, fork: int) -> None:
    older, newer = sorted((min(one, fork), two))
    tree = tree_of("other", fork)
    if older <= fork:
        assert prove_equivocation(signed(HONEST, older), signed(tree, newer), tree, KEYS) is None


def changed_path(data: st.DataObject, path: list[bytes]) -> list[bytes]:
    """Return a path with some hashes changed, dropped, doubled, swapped or made up."""
    path = list(path)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(path)))
        match data.draw(st.sampled_from(["flip", "drop", "add", "swap", "node"])):
            case "flip" if at < len(path):
                bit = data.draw(st.integers(0, 255))
                number = int.from_bytes(path[at], "big") ^ (1 << bit)
                path[at] = number.to_bytes(32, "big")
            case "drop":
                del path[at : at + 1]
            case "add":
                path.insert(at, data.draw(st.binary(min_size=32, max_size=32)))
            case "swap" if at < len(path):
                path[at], path[0] = path[0], path[at]
            case _:
                level = HONEST.level(data.draw(st.integers(0, 7)))
                path.insert(at, data.draw(st.sampled_from(list(level))))
    return path


@given(st.data())
def test_verify__honest_log_and_any_path__never_convicts(data: st.DataObject) -> None:
    newer = data.draw(st.integers(1, LIMIT))
    older = data.draw(st.integers(0, newer))
    path = HONEST.consistency(older, newer) if older else []
    if omits_seed(older) and data.draw(st.booleans()):
        path = [HONEST.root(older), *path]
    hashes = tuple(encode64(item) for item in changed_path(data, path))
    notes = [signed(HONEST, older), signed(HONEST, newer)]
    if data.draw(st.booleans()):
        notes.reverse()
    charge = Equivocation(ORIGIN, notes[0], notes[1], hashes)
    assert not verify_equivocation(charge.text().encode(), KEYS)


@given(st.integers(1, LIMIT), st.integers(1, LIMIT))
@example(64, 65)
@example(1, 2)
def test_recompute_roots__honest_path__gives_both_roots(one: int, two: int) -> None:
    older, newer = sorted((one, two))
    if older == newer:
        return
    seed = [HONEST.root(older)] if omits_seed(older) else []
    path = seed + HONEST.consistency(older, newer)
    assert recompute_roots(older, newer, path) == (HONEST.root(older), HONEST.root(newer))
    assert recompute_roots(older, newer, path[:-1]) is None
    assert recompute_roots(older, newer, [*path, path[0]]) is None


VECTORS = [
    case
    for case in cases("rfc9162-consistency.json")
    if 0 < int(str(case["size1"])) < int(str(case["size2"]))
]


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["case"])
def test_recompute_roots__public_vector__is_judged_as_stated(case: dict[str, object]) -> None:
    older, newer = int(str(case["size1"])), int(str(case["size2"]))
    root1, root2, path = raw(case["root1"]), raw(case["root2"]), proof(case)
    seed = [root1] if omits_seed(older) else []
    holds = recompute_roots(older, newer, [*seed, *path]) == (root1, root2)
    assert holds is not case["wantErr"]


FORK = tree_of("fork", 9)
CHARGE = proven(signed(HONEST, 20), signed(FORK, 31), FORK)


def test_verify__proof_with_a_hash_changed_anywhere__convicts_no_more() -> None:
    for at in range(len(CHARGE.hashes)):
        hashes = [*CHARGE.hashes]
        hashes[at] = encode64(bytes(32))
        charge = Equivocation(ORIGIN, CHARGE.older, CHARGE.newer, tuple(hashes))
        assert not verify_equivocation(charge.text().encode(), KEYS)


def test_verify__equal_sizes__take_no_hashes() -> None:
    notes = signed(HONEST, 20), signed(FORK, 20)
    assert verify_equivocation(Equivocation(ORIGIN, *notes).text().encode(), KEYS)
    charge = Equivocation(ORIGIN, *notes, CHARGE.hashes)
    assert not verify_equivocation(charge.text().encode(), KEYS)


def test_verify__notes_of_another_key_or_log__are_refused() -> None:
    text = CHARGE.text().encode()
    assert verify_equivocation(text, KEYS)
    for known in ([], [verifier_of(MALLORY)], [verifier_of(LOG_KEY, COSIGNATURE)]):
        with pytest.raises(EvidenceError, match="E-EVD-003"):
            verify_equivocation(text, known)
    forged = sign_note(Checkpoint(ORIGIN, 20, bytes(32)).text(), MALLORY)
    charge = Equivocation(ORIGIN, forged, CHARGE.newer, CHARGE.hashes)
    with pytest.raises(EvidenceError, match="E-EVD-003"):
        verify_equivocation(charge.text().encode(), KEYS)
    elsewhere = sign_note(Checkpoint("log.example/other", 20, bytes(32)).text(), LOG_KEY)
    charge = Equivocation(ORIGIN, elsewhere, CHARGE.newer, CHARGE.hashes)
    with pytest.raises(EvidenceError, match="E-EVD-004"):
        verify_equivocation(charge.text().encode(), KEYS)


def test_prove__notes_with_cosignatures__keeps_the_logs_lines_only() -> None:
    text = Checkpoint(ORIGIN, 20, HONEST.root(20)).text()
    older = with_signatures(signed(HONEST, 20), cosign_checkpoint(text, WITNESS, 5))
    assert proven(older, signed(FORK, 31), FORK) == CHARGE


def edited(**fields: object) -> bytes:
    return encode({**json.loads(CHARGE.text()), **fields})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        CHARGE.text().encode() + b"\n",
        json.dumps(json.loads(CHARGE.text()), indent=1).encode(),
        edited(schema="undersigned.equivocation.v2"),
        edited(extra=1),
        edited(hashes=[CHARGE.hashes[0][:-1]]),
        edited(hashes=["AAAA"]),
        edited(hashes=["A" * 42 + "B="]),
        edited(hashes=[encode64(bytes(32))] * (PATH_LIMIT + 1)),
        edited(newer="x" * SIZE_LIMIT),
    ],
)
def test_parse__malformed__is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceError, match="E-EVD-064"):
        verify_equivocation(data, KEYS)


@pytest.mark.parametrize(
    ("older", "newer", "tree"),
    [
        (signed(HONEST, 20), signed(FORK, 31), HONEST),
        (signed(HONEST, 20), signed(FORK, 31), tree_of("fork", 9, 30)),
        (signed(FORK, 31), signed(HONEST, 20), HONEST),
    ],
)
def test_prove__entries_of_another_history__are_refused(older: str, newer: str, tree: Tree) -> None:
    with pytest.raises(EvidenceError, match="E-EVD-065"):
        prove_equivocation(older, newer, tree, KEYS)


def test_prove__empty_tree__agrees_with_any_other_and_with_one_root_only() -> None:
    empty = signed(Tree(), 0)
    assert prove_equivocation(empty, signed(HONEST, 7), HONEST, KEYS) is None
    assert prove_equivocation(empty, empty, Tree(), KEYS) is None
    impossible = sign_note(Checkpoint(ORIGIN, 0, bytes(32)).text(), LOG_KEY)
    assert verify_equivocation(proven(empty, impossible, Tree()).text().encode(), KEYS)
