"""Does the fast check accept exactly what the definition of an entry accepts?"""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from undersigned.core.canonical import decode, digest_bytes
from undersigned.core.errors import EvidenceError, UsageError
from undersigned.evidence.entries import CANONICAL, PAYLOAD, Entry, check_entries, parse_entry
from undersigned.evidence.store import pack_payload

DIGESTS = st.binary(max_size=3).map(digest_bytes)
PREDICATES = st.one_of(
    st.just("urn:undersigned:predicate:prereg:v1"),
    st.text(st.characters(max_codepoint=0x180), min_size=0, max_size=202),
)
SIZES = st.one_of(
    st.integers(0, 2**53 - 1), st.integers(2**53 - 2, 2**53 + 2), st.integers(-2, 10**17)
)
ENTRIES = st.builds(
    Entry, PREDICATES, DIGESTS, SIZES, st.sampled_from(["permanent", "term", "erasable", "ever"]),
    st.one_of(st.just(""), DIGESTS),
)  # fmt: skip
TWEAKS = st.sampled_from(
    [b"", b" ", b"0", b"9", b"-", b"a", b"A", b"g", b'"', b"\\", b"{", b"}", b",", b":", b"\n",
     b"\x00", b"\x7f", b"\xff", b"\xc3\xa9", b"\\u0041", b"1e3", b".0", b'"size":1', b"null"]
)  # fmt: skip


def bytes_of(entry: Entry) -> bytes:
    import msgspec

    return msgspec.json.Encoder(order="sorted").encode(entry)


def is_accepted(data: bytes) -> bool:
    try:
        decode(data, Entry)
    except EvidenceError:
        return False
    return True


def is_checked(entries: list[bytes]) -> bool:
    try:
        check_entries(entries)
    except EvidenceError:
        return False
    return True


@settings(max_examples=600)
@given(ENTRIES)
@example(Entry("p", digest_bytes(b""), 2**53 - 1))
@example(Entry("p", digest_bytes(b""), 2**53))
@example(Entry("p" * 200, digest_bytes(b""), 0, "term", digest_bytes(b"x")))
@example(Entry("p" * 201, digest_bytes(b""), 0))
def test_expression__any_entry__accepts_what_the_definition_accepts(entry: Entry) -> None:
    data = bytes_of(entry)
    assert (CANONICAL.fullmatch(data) is not None) == is_accepted(data) == is_checked([data])
    if is_accepted(data):
        assert parse_entry(data) == entry == decode(data, Entry)


@settings(max_examples=1500)
@given(ENTRIES, st.integers(0, 600), st.integers(0, 3), TWEAKS)
def test_expression__changed_bytes__accepts_what_the_definition_accepts(
    entry: Entry, at: int, cut: int, tweak: bytes
) -> None:
    data = bytes_of(entry)
    at %= len(data) + 1
    data = data[:at] + tweak + data[at + cut :]
    assert (CANONICAL.fullmatch(data) is not None) == is_accepted(data) == is_checked([data])


@settings(max_examples=400)
@given(
    st.lists(st.integers(0, 5000), min_size=8, max_size=20), st.integers(0, 19),
    st.integers(0, 250), st.integers(0, 3), TWEAKS,
)  # fmt: skip
def test_check__batch_with_one_changed__is_judged_like_its_entries(
    sizes: list[int], which: int, at: int, cut: int, tweak: bytes
) -> None:
    batch = [Entry("urn:undersigned:predicate:prereg:v1", digest_bytes(b"%d" % n), n).data()
             for n in sizes]  # fmt: skip
    assert is_checked(batch)
    data = batch[which % len(batch)]
    at %= len(data) + 1
    batch[which % len(batch)] = data[:at] + tweak + data[at + cut :]
    assert is_checked(batch) == all(map(is_accepted, batch))


def test_check__digits_moved_from_one_entry_to_the_next__is_refused() -> None:
    """What adds up over a batch must still hold for each entry."""
    batch = [Entry("p", digest_bytes(b"%d" % n), 1).data() for n in range(10)]
    short, long = batch[0].replace(b"sha256:", b"sha256:", 1), batch[1]
    at = short.index(b"sha256:") + 7
    batch[0], batch[1] = short[:at] + short[at + 1 :], long[:at] + b"0" + long[at:]
    assert not is_checked(batch)
    upper = [entry.replace(b"a", b"A") for entry in batch[2:]] * 2
    assert not is_checked(upper)


def test_entry_of_payload__retention__is_term_or_erasable_and_bytes_are_packed() -> None:
    packed = pack_payload(b"name, address", bytes(32))
    entry = Entry.of_payload(packed, "erasable")
    assert (entry.predicate, entry.name, entry.size) == (PAYLOAD, "payload", len(packed))
    assert entry.digest == digest_bytes(packed)
    assert decode(Entry.of_payload(packed, "term").data(), Entry).retention == "term"
    with pytest.raises(UsageError, match="E-EVD-072"):
        Entry.of_payload(packed, "permanent")
    with pytest.raises(EvidenceError, match="E-EVD-071"):
        Entry.of_payload(b"name, address", "erasable")
