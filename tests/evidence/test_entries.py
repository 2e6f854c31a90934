"""What is an entry, byte for byte, and what is none?"""

from __future__ import annotations

import json

import pytest

from undersigned.core.canonical import decode, digest_bytes
from undersigned.core.errors import EvidenceError, UsageError
from undersigned.evidence.entries import PAYLOAD, Entry, check_entries, parse_entry
from undersigned.evidence.store import pack_payload

DIGEST = digest_bytes(b"")
PREREG = "urn:undersigned:predicate:prereg:v1"
HELD = {
    "smallest": Entry("p", DIGEST, 0),
    "longest name": Entry("p" * 200, DIGEST, 1),
    "largest size": Entry(PREREG, DIGEST, 2**53 - 1),
    "closes": Entry(PREREG, DIGEST, 7, "term", digest_bytes(b"x")),
    "erasable": Entry("!#[]~", DIGEST, 7, "erasable"),
}
BROKEN = {
    "no name": {"predicate": ""},
    "name too long": {"predicate": "p" * 201},
    "quote in the name": {"predicate": 'a"b'},
    "backslash in the name": {"predicate": "a\\b"},
    "name that is not ASCII": {"predicate": "é"},
    "new line after the name": {"predicate": "p\n"},
    "negative size": {"size": -1},
    "size too large": {"size": 2**53},
    "size as text": {"size": "7"},
    "size as a float": {"size": 7.0},
    "size true": {"size": True},
    "digest in capitals": {"digest": DIGEST.upper()},
    "digest cut": {"digest": DIGEST[:-1]},
    "digest and a new line": {"digest": DIGEST + "\n"},
    "no digest": {"digest": ""},
    "unknown retention": {"retention": "ever"},
    "closes no digest": {"closes": "sha256:"},
    "one field more": {"more": 1},
}
SPELLINGS = {
    "space": lambda d: d.replace(b":0", b": 0"),
    "new line after": lambda d: d + b"\n",
    "other order": lambda d: b'{"digest":' + d.split(b'"digest":')[1][:-1] + b',"closes":""}',
    "escape": lambda d: d.replace(b'"p"', b'"\\u0070"'),
    "exponent": lambda d: d.replace(b'"size":0', b'"size":0e1'),
    "twice": lambda d: d.replace(b'"size":0', b'"size":0,"size":0'),
    "no Unicode": lambda d: d.replace(b'"p"', b'"\xff"'),
    "torn": lambda d: d[:-1],
    "nothing": lambda d: b"",
    "a list": lambda d: b"[" + d + b"]",
    "long": lambda d: d.replace(b'"p"', b'"' + b"p" * 2000 + b'"'),
}


def is_checked(entries: list[bytes]) -> bool:
    try:
        check_entries(entries)
    except EvidenceError as error:
        return error.code != "E-EVD-027"
    return True


@pytest.mark.parametrize("what", HELD)
def test_entry__within_the_bounds__comes_back_as_it_was(what: str) -> None:
    assert parse_entry(HELD[what].data()) == HELD[what]
    assert is_checked([HELD[what].data()] * 9)


@pytest.mark.parametrize("what", BROKEN)
def test_entry__one_field_out_of_bounds__is_refused(what: str) -> None:
    good = {"closes": "", "digest": DIGEST, "predicate": "p", "retention": "term", "size": 1}
    assert is_checked([json.dumps(good, separators=(",", ":")).encode()])
    changed = json.dumps(good | BROKEN[what], separators=(",", ":"), sort_keys=True).encode()
    assert not is_checked([HELD["closes"].data(), changed])


@pytest.mark.parametrize("what", SPELLINGS)
def test_entry__spelt_otherwise__is_refused(what: str) -> None:
    data = HELD["smallest"].data()
    assert not is_checked([data, SPELLINGS[what](data)])


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
