"""Do builder and verifier agree with the standard, the public vectors and each other?"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undersigned.core.errors import UsageError
from undersigned.evidence.tree import EMPTY_ROOT, Tree, leaf_hash, root_of
from undersigned.evidence.verify import tree_root, verify_consistency, verify_inclusion

VECTORS = Path(__file__).parent / "vectors"
LEAVES = [leaf_hash(b"%d" % i) for i in range(300)]


def cases(name: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((VECTORS / name).read_bytes())
    assert len(found) == 98
    return found


def raw(value: object) -> bytes:
    return base64.b64decode(str(value))


def proof(case: dict[str, object]) -> list[bytes]:
    listed = case["proof"] or []
    assert isinstance(listed, list)
    return [raw(item) for item in listed]


@pytest.mark.parametrize("case", cases("rfc9162-inclusion.json"), ids=lambda c: c["case"])
def test_verify_inclusion__public_vector__is_judged_as_stated(case: dict[str, object]) -> None:
    index, size = int(str(case["leafIdx"])), int(str(case["treeSize"]))
    holds = verify_inclusion(raw(case["leafHash"]), index, size, proof(case), raw(case["root"]))
    assert holds is not case["wantErr"]


@pytest.mark.parametrize("case", cases("rfc9162-consistency.json"), ids=lambda c: c["case"])
def test_verify_consistency__public_vector__is_judged_as_stated(case: dict[str, object]) -> None:
    sizes = int(str(case["size1"])), int(str(case["size2"]))
    holds = verify_consistency(*sizes, proof(case), raw(case["root1"]), raw(case["root2"]))
    assert holds is not case["wantErr"]


def recursive_root(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    left, right = recursive_root(leaves[:split]), recursive_root(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


def test_root__every_size_to_300__equals_the_recursive_definition_and_the_verifier() -> None:
    tree = Tree()
    tree.extend(LEAVES)
    for size in range(len(LEAVES) + 1):
        expected = recursive_root(LEAVES[:size])
        assert tree.root(size) == expected == tree_root(LEAVES[:size])


@given(st.data())
def test_inclusion__any_leaf_and_size__is_verified_only_as_it_is(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(LEAVES)))
    index = data.draw(st.integers(0, size - 1))
    tree = Tree()
    tree.extend(LEAVES)
    path, root = tree.inclusion(index, size), tree.root(size)
    assert verify_inclusion(LEAVES[index], index, size, path, root)
    other = data.draw(st.integers(0, size).filter(lambda i: i != index))
    assert not verify_inclusion(LEAVES[index], other, size, path, root)
    assert not verify_inclusion(LEAVES[index], index, size, [*path, root], root)
    assert not path or not verify_inclusion(LEAVES[index], index, size, path[:-1], root)


@given(st.data())
def test_consistency__any_two_sizes__is_verified_only_as_it_is(data: st.DataObject) -> None:
    size2 = data.draw(st.integers(1, len(LEAVES)))
    size1 = data.draw(st.integers(1, size2))
    tree = Tree()
    tree.extend(LEAVES)
    path, roots = tree.consistency(size1, size2), (tree.root(size1), tree.root(size2))
    assert verify_consistency(size1, size2, path, *roots)
    assert not verify_consistency(size1, size2, [*path, roots[0]], *roots)
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        flipped = [
            bytes([path[at][0] ^ 1]) + path[at][1:] if i == at else path[i]
            for i in range(len(path))
        ]
        assert not verify_consistency(size1, size2, flipped, *roots)


def test_consistency__from_nothing__is_refused_by_both_sides() -> None:
    tree = Tree()
    tree.extend(LEAVES[:3])
    with pytest.raises(UsageError, match="E-EVD-001"):
        tree.consistency(0, 3)
    assert not verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 4), (0, 0)])
def test_inclusion__outside_the_tree__is_refused(index: int, size: int) -> None:
    tree = Tree()
    tree.extend(LEAVES[:3])
    with pytest.raises(UsageError, match="E-EVD-001"):
        tree.inclusion(index, size)


def test_root_of__two_leaves__is_not_their_swapped_root() -> None:
    assert root_of(LEAVES[:2]) != root_of(reversed(LEAVES[:2]))
