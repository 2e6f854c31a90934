"""Which notes, receipts and proofs do the readers accept?

Targets that live in memory. Where a standard allows two texts to mean the same, the judge says
exactly which: signature lines of unknown keys in a note, and a receipt's ``extra`` data, which the
package keeps and the stand-alone verifier refuses.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from scripts.fuzz_oracle import Outcome, Target, agreed, ask, demand
from scripts.mutate import Pool
from tests.evidence.dossiers import LOG_KEY, MALLORY, ORIGIN, key
from undersigned.evidence import notes, verify
from undersigned.evidence.tree import Tree, leaf_hash

WITNESS = key("witness.example", "witness")
KEYS = (notes.verifier_of(LOG_KEY), notes.verifier_of(WITNESS, notes.COSIGNATURE))
PAIRS = [(LOG_KEY.name, LOG_KEY.public)]
WITNESSES = [(WITNESS.name, WITNESS.public)]
SIZE = 300
NOTE_WORDS = (
    "\N{EM DASH} ".encode(), ORIGIN.encode(), b"witness.example", b"index ", b"extra ", b"\n\n",
    b"c2sp.org/tlog-proof@v1", b"c2sp.org/tlog-proof@v2", b"extra AAAA\n", b"index 0\n",
    "\N{EM DASH} other AAAAAAAA\n".encode(), "\N{EM DASH} a+b AAAAAAAA\n".encode(),
    "\N{EM DASH} a\u00a0b AAAAAAAA\n".encode(), b"log.example/other",
    b"".join(f"\N{EM DASH} n{n} AAAAAAAA\n".encode() for n in range(65)),
)  # fmt: skip


class World(NamedTuple):
    """A log of ``SIZE`` entries and everything that was truly signed about it."""

    tree: Tree
    notes: tuple[str, ...]
    receipts: tuple[str, ...]
    signed: frozenset[str]


def build() -> World:
    """Return a log with checkpoints at two sizes, one of them cosigned."""
    tree = Tree()
    tree.extend(leaf_hash(b"entry %d" % number) for number in range(SIZE))
    found = []
    for size in (SIZE, 257):
        text = notes.Checkpoint(ORIGIN, size, tree.root(size)).text()
        plain = notes.sign_note(text, LOG_KEY)
        cosigned = notes.with_signatures(plain, [notes.cosign_checkpoint(text, WITNESS, 1 << 30)])
        found += [plain, cosigned, notes.sign_note(text, MALLORY, LOG_KEY)]
    receipts = tuple(
        notes.Receipt(index, tuple(tree.inclusion(index, size)), note, extra).text()
        for index, size, note, extra in (
            (0, SIZE, found[0], b""),
            (299, SIZE, found[1], b""),
            (137, SIZE, found[0], b"extra"),
            (256, 257, found[3], b""),
            (128, 257, found[4], b""),
        )
    )
    lines = {line for note in found for line in note.rpartition("\n\n")[2].splitlines()}
    return World(tree, tuple(found), receipts, frozenset(lines))


def text_of(data: bytes) -> str:
    """Return bytes as text; what is no UTF-8 becomes lone surrogates, which readers must refuse."""
    return data.decode("utf-8", "surrogateescape")


def _open(text: str) -> notes.OpenedNote | None:
    opened = ask(lambda: notes.open_note(text, KEYS))
    # WHY: cosignatures alone are no note to the verifier, which asks for the log's own key.
    return opened if opened is not None and opened.verifiers else None


def _check_note(world: World, text: str, opened: notes.OpenedNote) -> None:
    """Allowed: other lines, of keys that nobody trusts. Bodies and trusted lines are verbatim."""
    demand(f"{opened.text}\n" in {n.rpartition("\n\n")[0] + "\n\n" for n in world.notes}, "a body")
    known = {(v.name, v.key_id) for v in KEYS}
    trusted = 0
    for line in text.rpartition("\n\n")[2].split("\n")[:-1]:
        name, _, value = line[2:].partition(" ")
        if (name, verify.decode64(value, 119)[:4]) in known:
            demand(line in world.signed, f"a signature that was never made: {line!r}")
            trusted += 1
    demand(trusted == len(opened.verifiers) + len(opened.cosigned), "a signer who did not sign")


def judge_note(world: World, data: bytes) -> Outcome:
    """Open a note with both readers."""
    text = text_of(data)
    ours = _open(text)
    theirs = ask(lambda: verify.open_note(text, PAIRS, "", WITNESSES))
    outcome = agreed(ours, theirs)
    if ours is not None and theirs is not None:
        _check_note(world, text, ours)
        same = theirs[0] == ours.text and list(theirs[1]) == [v.name for v in ours.verifiers]
        demand(same, "the two readers open different notes")
    return outcome


def judge_checkpoint(data: bytes) -> Outcome:
    """Sign whatever is given with the log's key: only the form of a checkpoint can refuse it."""
    text = text_of(data)
    note = ask(lambda: notes.sign_note(text, LOG_KEY))
    if note is None:
        return "refused"
    ours = ask(lambda: notes.parse_checkpoint(text))
    theirs = ask(lambda: verify.verify_checkpoint(note, PAIRS))
    outcome = agreed(ours, theirs)
    if ours is not None and theirs is not None:
        demand(ours.text() == text, "a checkpoint does not re-encode")
        demand(tuple(theirs[:3]) == (ours.origin, ours.size, ours.root), "another checkpoint")
    return outcome


def judge_key(data: bytes) -> Outcome:
    """Read a verifier key string."""
    found = ask(lambda: notes.parse_verifier_key(text_of(data)))
    if found is not None:
        demand(found.text().encode() == data, "a key string does not re-encode")
    return "refused" if found is None else "accepted"


def judge_receipt(world: World, data: bytes) -> Outcome:
    """Verify a receipt for the entry at the index that it names."""
    text = text_of(data)

    def holds(index: int, hashes: Iterable[bytes], size: int, root: bytes) -> bool:
        leaf = world.tree.level(0)[index] if index < SIZE else bytes(32)
        return verify.verify_inclusion(leaf, index, size, list(hashes), root)

    def package() -> notes.Receipt | None:
        found = notes.parse_receipt(text)
        at = notes.open_checkpoint(found.checkpoint, KEYS, ORIGIN)
        return found if holds(found.index, found.hashes, at.size, at.root) else None

    def verifier() -> tuple[int, list[bytes], str] | None:
        index, hashes, note = verify.read_receipt(text)
        at = verify.verify_checkpoint(note, PAIRS, ORIGIN, "", WITNESSES)
        return (index, hashes, note) if holds(index, hashes, at[1], at[2]) else None

    ours, theirs = ask(package), ask(verifier)
    if ours is None:
        return agreed(ours, theirs)
    demand(ours.text() == text, "a receipt does not re-encode")
    opened = notes.open_note(ours.checkpoint, KEYS)
    _check_note(world, ours.checkpoint, opened)
    size = notes.parse_checkpoint(opened.text).size
    demand(list(ours.hashes) == world.tree.inclusion(ours.index, size), "another proof")
    if ours.extra:
        demand(theirs is None, "the verifier accepts data that nothing authenticates")
        return "accepted"
    return agreed(ours, theirs)


def _numbers(data: bytes) -> tuple[int, int, list[bytes]]:
    """Split an input into two 8-byte numbers and 32-byte hashes, the last one maybe short."""
    head, rest = data[:16].ljust(16, b"\0"), data[16:]
    hashes = [rest[at : at + 32] for at in range(0, len(rest), 32)]
    return int.from_bytes(head[:8], "big"), int.from_bytes(head[8:], "big"), hashes


def pack(first: int, second: int, hashes: Iterable[bytes]) -> bytes:
    """Return the input of two numbers and hashes."""
    return first.to_bytes(8, "big") + second.to_bytes(8, "big") + b"".join(hashes)


def judge_inclusion(world: World, data: bytes) -> Outcome:
    """Verify an inclusion proof: index, size, then leaf, root and path.

    A size and its root come from one signed checkpoint. With a size that is not the root's, a path
    of the same shape verifies too, so only the root must then be a true one. Any hash is the root
    of a tree of which it is the only leaf.
    """
    index, size, hashes = _numbers(data)
    leaf, root, path = (*hashes[:2], b"", b"")[0], (*hashes[:2], b"", b"")[1], hashes[2:]
    if not verify.verify_inclusion(leaf, index, size, path, root):
        return "refused"
    if size <= SIZE and world.tree.root(size) == root:
        demand(leaf == world.tree.level(0)[index], "a leaf that is not there")
        demand(path == world.tree.inclusion(index, size), "another proof")
    elif not (size == 1 and leaf == root and not path):
        demand(root in _roots(world), "a root that no tree has")
    return "accepted"


def judge_consistency(world: World, data: bytes) -> Outcome:
    """Verify a consistency proof: two sizes, then both roots and the path."""
    one, two, hashes = _numbers(data)
    first, second, path = (*hashes[:2], b"", b"")[0], (*hashes[:2], b"", b"")[1], hashes[2:]
    if not verify.verify_consistency(one, two, path, first, second):
        return "refused"
    demand(0 < one <= two, "sizes that are none")
    if two <= SIZE and (world.tree.root(one), world.tree.root(two)) == (first, second):
        demand(path == world.tree.consistency(one, two), "another proof")
    elif one == two:
        demand(first == second and not path, "one size and two roots")
    else:
        demand({first, second} <= _roots(world), "a root that no tree has")
    return "accepted"


def _roots(world: World) -> frozenset[bytes]:
    return frozenset(world.tree.root(size) for size in range(SIZE + 1))


def targets() -> tuple[Target, ...]:
    """Return the targets of this module."""
    world = build()
    notes_ = tuple(note.encode() for note in world.notes)
    bodies = tuple(note.partition(b"\n\n")[0] + b"\n" for note in notes_)
    keys = tuple(verifier.text().encode() for verifier in KEYS)
    receipts = tuple(text.encode() for text in world.receipts)
    tree = world.tree
    proofs = tuple(
        pack(at, size, [tree.level(0)[at], tree.root(size), *tree.inclusion(at, size)])
        for at, size in ((0, 1), (0, SIZE), (299, SIZE), (255, 257), (3, 7), (4, 5))
    )
    links = tuple(
        pack(one, two, [tree.root(one), tree.root(two), *tree.consistency(one, two)])
        for one, two in ((1, SIZE), (256, 257), (4, 7), (6, 8), (299, SIZE), (5, 5))
    )
    steps = tuple(number.to_bytes(8, "big") for number in (0, 1, 255, 256, SIZE, 1 << 63))
    words = (*steps, *tree.level(0)[:2], tree.root(), tree.root(256), bytes(32), bytes(31))
    return (
        Target("note", 90, Pool(notes_, NOTE_WORDS), partial(judge_note, world)),
        Target("checkpoint", 60, Pool(bodies, NOTE_WORDS), judge_checkpoint),
        Target("key", 40, Pool(keys, (b"+", b"BA", b"AR")), judge_key),
        Target("receipt", 90, Pool(receipts, NOTE_WORDS), partial(judge_receipt, world)),
        Target("inclusion", 100, Pool(proofs, words), partial(judge_inclusion, world)),
        Target("consistency", 78, Pool(links, words), partial(judge_consistency, world)),
    )
