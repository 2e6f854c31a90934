"""Is a trust file read in one way only, changed without being weakened, and its limits said?"""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import msgspec
import pytest

from undersigned.core.errors import EvidenceError, StorageError, UndersignedError, UsageError
from undersigned.evidence.caveats import caveats
from undersigned.evidence.keys import ROLES, FileKey
from undersigned.evidence.notes import Checkpoint, cosign_checkpoint, sign_note
from undersigned.evidence.trust import (
    SCHEMA,
    TRUST_LIMIT,
    Key,
    Trust,
    load_trust,
    parse_trust,
    write_trust,
)
from undersigned.evidence.trusting import (
    Held,
    contradictions,
    empty_trust,
    fingerprint,
    holding,
    key_named,
    revoked,
    separating,
    with_key,
    with_threshold,
)
from undersigned.evidence.verify import Check

ORIGIN = "log.example/a"
TODAY = datetime.date(2026, 11, 22)

LOG = FileKey.from_seed(b"l" * 32, name=ORIGIN, role="log", party="acme")
TESTER = FileKey.from_seed(b"t" * 32, name="acme-tester", role="tester", party="acme")
WITNESS = FileKey.from_seed(b"w" * 32, name="witness.example", role="witness", party="watch")


def entry(key: FileKey, **changes: object) -> Key:
    predicates = ("prereg", "eval-result", "abandoned") if key.role == "tester" else ()
    origins = (ORIGIN,) if key.role in ("log", "witness") else ()
    made = Key.of(
        key.name, key.public, key.party, roles=(key.role,), predicates=predicates, origins=origins
    )
    return msgspec.structs.replace(made, **changes)


TRUST = Trust(SCHEMA, (entry(LOG), entry(TESTER), entry(WITNESS)))


def state(size: int, root: bytes = b"\x11" * 32) -> str:
    return Checkpoint(ORIGIN, size, root).text()


def note(size: int, root: bytes = b"\x11" * 32, key: FileKey = LOG) -> str:
    return sign_note(state(size, root), key)


def read_by_verifier(tmp_path: Path, data: bytes) -> bool:
    """Tell whether the stand-alone verifier, which shares no code, accepts a trust file."""
    path = tmp_path / "for-verifier.json"
    path.write_bytes(data)
    codes = {found.code for found in Check(tmp_path, path).run()}
    return not codes & {"E-EVD-110", "E-EVD-111"}


def as_json(**changes: object) -> bytes:
    return json.dumps({**msgspec.to_builtins(TRUST), **changes}).encode()


def first_key(**changes: object) -> bytes:
    """Return the trust file with fields of its first key changed."""
    fields = msgspec.to_builtins(TRUST)
    fields["keys"][0].update(changes)
    return json.dumps(fields).encode()


GOOD = as_json()

MALFORMED = {
    "empty": b"",
    "not json": b"trust me",
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "utf-16": GOOD.decode().encode("utf-16"),
    "not utf-8": GOOD.replace(b"acme", b"acm\xff", 1),
    "lone surrogate in an origin": first_key(origins=["\ud800"]),
    "lone surrogate in a threshold": as_json(thresholds={"\ud800": 1}),
    "lone surrogate in a checkpoint": as_json(checkpoints=["\ud800\n1\n"]),
    "threshold name not ASCII": as_json(thresholds={"prereg\u00e9": 1}),
    "trailing text": GOOD + b"{}",
    "deep nesting": b'{"schema":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "unknown field": as_json(comment="mine"),
    "unknown field of a key": first_key(comment="mine"),
    "no schema": as_json(schema="undersigned.trust.v2"),
    "field twice": GOOD.replace(b'"schema":', b'"schema":"undersigned.trust.v1","schema":', 1),
    "field of a key twice": GOOD.replace(b'"party": "acme"', b'"party":"a","party":"acme"', 1),
    "threshold NaN": GOOD[:-1] + b',"thresholds":{"prereg":NaN}}',
    "threshold infinite": GOOD[:-1] + b',"thresholds":{"prereg":Infinity}}',
    "threshold 1.0": GOOD[:-1] + b',"thresholds":{"prereg":1.0}}',
    "threshold 1e400": GOOD[:-1] + b',"thresholds":{"prereg":1e400}}',
    "threshold beyond 2**53": GOOD[:-1] + b',"thresholds":{"prereg":9007199254740992}}',
    "threshold of 5000 digits": GOOD[:-1] + b',"thresholds":{"prereg":' + b"9" * 5000 + b"}}",
    "threshold true": as_json(thresholds={"prereg": True}),
    "threshold 0": as_json(thresholds={"prereg": 0}),
    "revoked at -1": first_key(revoked_at=-1),
    "revoked at a text": first_key(revoked_at="1"),
    "date that is none": first_key(not_after="2026-02-30"),
    "date in another order": first_key(not_after="30-11-2026"),
    "date in ISO weeks": first_key(not_before="2026-W01-1"),
    "date with a time": first_key(not_before="2026-01-01T00:00:00Z"),
    "unknown role": first_key(roles=["boss"]),
    "no role": first_key(roles=[]),
    "log without origins": first_key(origins=[]),
    "algorithm": first_key(algorithm="rsa"),
    "short key": first_key(public="AAAA"),
    "base64 not canonical": first_key(public=entry(LOG).public[:-2] + "B="),
    "name with a newline": first_key(name="a\nb"),
    "name with an escape": first_key(name="a\x1b[31m"),
    "party in capitals": first_key(party="ACME"),
    "key twice": as_json(keys=[msgspec.to_builtins(entry(LOG))] * 2),
    "roles to separate that are one": as_json(separate_roles=[["log", "log"]]),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_parse_trust__malformed__is_refused_here_and_by_the_stand_alone_verifier(
    tmp_path: Path, data: bytes
) -> None:
    with pytest.raises(EvidenceError, match="E-EVD-040") as caught:
        parse_trust(data)
    assert all(c.isprintable() or c == "\n" for c in str(caught.value))
    assert not read_by_verifier(tmp_path, data)


def test_parse_trust__good_in_any_spacing_and_order__is_read_by_both(tmp_path: Path) -> None:
    fields = json.loads(GOOD)
    turned = json.dumps(dict(reversed(fields.items())), indent=7).encode()
    assert parse_trust(GOOD) == parse_trust(turned) == TRUST
    assert read_by_verifier(tmp_path, GOOD)
    assert read_by_verifier(tmp_path, turned)


@pytest.mark.parametrize(
    "data",
    [
        first_key(not_before="2026-02-01", not_after="2026-01-31"),
        first_key(origins=["log\u202egol"]),
        first_key(origins=["  "]),
        first_key(predicates=["pre\nreg"]),
    ],
)
def test_parse_trust__what_can_never_match_or_deceives_the_eye__is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceError, match="E-EVD-040"):
        parse_trust(data)


def test_parse_trust__ten_thousand_keys__are_read_and_a_double_is_named(tmp_path: Path) -> None:
    keys = tuple(
        Key.of(f"k{n}", n.to_bytes(32, "big"), f"p{n}", roles=("owner",)) for n in range(10_000)
    )
    path = tmp_path / "trust.json"
    write_trust(path, Trust(SCHEMA, keys))
    assert load_trust(path).keys == keys
    assert len("".join(caveats(Trust(SCHEMA, keys), TODAY))) < 2000
    twin = msgspec.structs.replace(keys[5], name="twin")
    with pytest.raises(EvidenceError, match="k5, twin"):
        write_trust(path, Trust(SCHEMA, (*keys, twin)))
    assert load_trust(path).keys == keys


def test_load_trust__endless_or_missing__is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="too long"):
        load_trust(Path("/dev/zero"))
    (tmp_path / "long.json").write_bytes(GOOD + b" " * TRUST_LIMIT)
    with pytest.raises(EvidenceError, match="too long"):
        load_trust(tmp_path / "long.json")
    for path in (tmp_path, tmp_path / "absent.json", Path("a\0b")):
        with pytest.raises(StorageError, match="E-COR-005"):
            load_trust(path)


def test_write_trust__link_with_narrow_rights__stays_a_link_and_narrow(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    write_trust(real, empty_trust())
    real.chmod(0o600)
    link.symlink_to(real)
    write_trust(link, TRUST)
    assert link.is_symlink()
    assert load_trust(real) == TRUST
    assert real.stat().st_mode & 0o777 == 0o600


def test_fingerprint__of_a_public_key__is_its_sha256_in_groups_of_four() -> None:
    # RFC 8032, section 7.1, test 1; the digest was made with sha256sum.
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert fingerprint(public).split() == [
        "21fe", "31df", "a154", "a261", "626b", "f854", "046f", "d227",
        "1b7b", "ed4b", "6abe", "45aa", "5887", "7ef4", "7f97", "21b9",
    ]  # fmt: skip


def test_with_key__new__is_added_last_and_nothing_else_changes() -> None:
    owner = Key.of("acme-owner", b"o" * 32, "acme", roles=("owner",))
    after = with_key(TRUST, owner)
    assert after.keys == (*TRUST.keys, owner)
    assert msgspec.structs.replace(after, keys=TRUST.keys) == TRUST


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (entry(TESTER), "E-EVD-086"),
        (entry(TESTER, name="another-name"), "E-EVD-086"),
        (Key.of("acme-tester", b"o" * 32, "other", roles=("owner",)), "E-EVD-086"),
        (Key.of("acme-witness", b"o" * 32, "acme", roles=("witness",), origins=(ORIGIN,)),
         "E-EVD-041"),
        (Key.of("boss", b"o" * 32, "acme", roles=("approver",)), "E-EVD-041"),
        (Key.of("a\nb", b"o" * 32, "acme", roles=("owner",)), "E-EVD-007"),
        (Key.of("a", b"o" * 32, "\x1b[2J", roles=("owner",)), "E-EVD-007"),
        (Key.of("a", b"o" * 32, "acme", roles=("owner",), predicates=("P",)), "E-EVD-007"),
        (Key.of("a", b"o" * 31, "acme", roles=("owner",)), "E-EVD-040"),
        (Key.of("a", b"o" * 32, "acme", roles=("boss",)), "E-EVD-040"),
        (Key.of("a", b"o" * 32, "acme", roles=("log",)), "E-EVD-040"),
    ],
)  # fmt: skip
def test_with_key__double_or_colliding_or_malformed__is_refused(key: Key, code: str) -> None:
    with pytest.raises(UndersignedError, match=code):
        with_key(TRUST, key)


def test_revoked__earlier_later_and_forced__moves_only_as_asked() -> None:
    first = revoked(TRUST, "acme-tester", 10)
    assert key_named(first, "acme-tester").revoked_at == 10
    assert [key.revoked_at for key in first.keys] == [None, 10, None]
    assert key_named(revoked(first, "acme-tester", 3), "acme-tester").revoked_at == 3
    assert revoked(first, "acme-tester", 10) == first
    with pytest.raises(UsageError, match="E-EVD-088"):
        revoked(first, "acme-tester", 11)
    assert key_named(revoked(first, "acme-tester", 11, later=True), "acme-tester").revoked_at == 11
    with pytest.raises(EvidenceError, match="E-EVD-040"):
        revoked(TRUST, "acme-tester", -1)


def test_revoked__unknown_name__lists_near_ones() -> None:
    with pytest.raises(UsageError, match="E-EVD-087") as caught:
        revoked(TRUST, "acme-testr", 0)
    assert caught.value.fields["nearest"].startswith("acme-tester")
    with pytest.raises(UsageError, match="nearest: none"):
        revoked(empty_trust(), "acme-tester", 0)


def test_with_threshold__plain_and_not__sets_or_refuses() -> None:
    assert with_threshold(TRUST, "eval-result", 2).threshold("eval-result") == 2
    for predicate, count in (("eval-result", 0), ("a b", 1)):
        with pytest.raises(UndersignedError, match=r"E-EVD-040|E-EVD-007"):
            with_threshold(TRUST, predicate, count)


def test_separating__new_known_and_violated__adds_leaves_or_refuses() -> None:
    assert separating(TRUST, "tester", "owner").separate_roles == (("tester", "owner"),)
    twice = separating(separating(TRUST, "tester", "owner"), "owner", "tester")
    assert twice.separate_roles == (("tester", "owner"),)
    assert separating(TRUST, "log", "witness") is TRUST
    with pytest.raises(EvidenceError, match="E-EVD-041"):
        separating(TRUST, "tester", "log")
    for pair in (("tester", "tester"), ("tester", "boss")):
        with pytest.raises(EvidenceError, match="E-EVD-040"):
            separating(TRUST, *pair)


def test_holding__first_same_larger_and_smaller__keeps_the_largest() -> None:
    first = holding(TRUST, note(4))
    assert (first.outcome, first.trust.checkpoints) == (Held.FIRST, (note(4),))
    same = holding(first.trust, note(4))
    assert (same.outcome, same.trust) == (Held.KNOWN, first.trust)
    larger = holding(first.trust, note(9))
    assert (larger.outcome, larger.trust.checkpoints) == (Held.REPLACED, (note(9),))
    assert larger.dropped == (note(4),)
    smaller = holding(larger.trust, note(4))
    assert (smaller.outcome, smaller.trust) == (Held.OLDER, larger.trust)
    kept = holding(larger.trust, note(4), keep_older=True)
    assert (kept.outcome, kept.trust.checkpoints) == (Held.ADDED, (note(9), note(4)))
    assert holding(first.trust, note(9), keep_older=True).trust.checkpoints == (note(4), note(9))


def test_holding__another_log__is_held_beside() -> None:
    other = FileKey.from_seed(b"o" * 32, name="log.other", role="log", party="other")
    trust = with_key(TRUST, entry(other, origins=("log.other",)))
    text = sign_note(Checkpoint("log.other", 2, b"\x22" * 32).text(), other)
    both = holding(holding(trust, note(4)).trust, text)
    assert (both.outcome, both.trust.checkpoints) == (Held.FIRST, (note(4), text))


def test_holding__same_size_other_root__keeps_both_for_ever() -> None:
    forked = holding(holding(TRUST, note(4)).trust, note(4, b"\x22" * 32))
    assert forked.outcome == Held.CONTRADICTS
    assert set(forked.trust.checkpoints) == {note(4), note(4, b"\x22" * 32)}
    assert [(one.size, other.size) for one, other in contradictions(forked.trust)] == [(4, 4)]
    for again in forked.trust.checkpoints:
        repeated = holding(forked.trust, again)
        assert (repeated.outcome, repeated.trust) == (Held.CONTRADICTS, forked.trust)
    larger = holding(forked.trust, note(9))
    assert (larger.outcome, larger.dropped) == (Held.ADDED, ())
    largest = holding(larger.trust, note(12))
    assert largest.dropped == (note(9),)
    assert set(forked.trust.checkpoints) < set(largest.trust.checkpoints)
    assert parse_trust(msgspec.json.encode(largest.trust)) == largest.trust


def test_holding__same_state_with_a_witness__joins_the_signatures() -> None:
    cosigned = note(4) + cosign_checkpoint(state(4), WITNESS, 1_800_000_000)
    first = holding(TRUST, note(4))
    joined = holding(first.trust, cosigned)
    assert (joined.outcome, joined.trust.checkpoints) == (Held.JOINED, (cosigned,))
    back = holding(joined.trust, note(4))
    assert (back.outcome, back.trust) == (Held.KNOWN, joined.trust)


def test_holding__same_state_with_an_unknown_signature__does_not_grow() -> None:
    stranger = FileKey.from_seed(b"s" * 32, name="stranger", role="log")
    first = holding(TRUST, note(4))
    assert holding(first.trust, sign_note(state(4), LOG, stranger)).outcome == Held.KNOWN


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (note(4, key=FileKey.from_seed(b"x" * 32, name=ORIGIN, role="log")), "E-EVD-003"),
        (note(4).replace("\n4\n", "\n5\n"), "E-EVD-003"),
        (state(4) + "\n" + cosign_checkpoint(state(4), WITNESS, 1_800_000_000), "E-EVD-003"),
        (note(4) + cosign_checkpoint(state(5), WITNESS, 1_800_000_000), "E-EVD-003"),
        (sign_note(Checkpoint("log.unknown", 4, b"\x11" * 32).text(), LOG), "E-EVD-003"),
        (note(4).replace("\n4\n", "\n04\n"), "E-EVD-004"),
        (note(4).replace("\n", "\r\n"), "E-EVD-002"),
        (note(4) + "x", "E-EVD-002"),
        (state(4), "E-EVD-002"),
        ("", "E-EVD-002"),
        (note(4) + "\u2014 a AAAAAAAA\n" * 100, "E-EVD-002"),
        ("x" * 100_000, "E-EVD-002"),
    ],
)
def test_holding__not_signed_by_a_log_key_or_malformed__is_refused(text: str, code: str) -> None:
    with pytest.raises(EvidenceError, match=code) as caught:
        holding(TRUST, text)
    assert len(str(caught.value)) < 1500


def test_holding__beyond_the_keys_revocation__is_refused() -> None:
    ended = revoked(TRUST, ORIGIN, 4)
    assert holding(ended, note(4)).outcome == Held.FIRST
    with pytest.raises(EvidenceError, match="E-EVD-003"):
        holding(ended, note(5))


def said(trust: Trust) -> str:
    return "\n".join(caveats(trust, TODAY))


def test_caveats__nothing_to_say__says_nothing() -> None:
    apart = Trust(SCHEMA, (entry(LOG, party="logs"), entry(TESTER), entry(WITNESS)))
    assert caveats(holding(apart, note(4)).trust, TODAY) == []


@pytest.mark.parametrize(
    ("trust", "words"),
    [
        (empty_trust(), "believes nobody"),
        (TRUST, "acme: tester and log in one party"),
        (with_key(TRUST, Key.of("p", b"p" * 32, "acme", roles=("provider",))), "tester's word"),
        (with_key(TRUST, Key.of("o", b"o" * 32, "acme", roles=("owner",))), "tests the system"),
        (Trust(SCHEMA, (entry(LOG), entry(TESTER))), "No witness"),
        (Trust(SCHEMA, (entry(LOG), entry(WITNESS))), "No tester's key"),
        (Trust(SCHEMA, (entry(TESTER),)), "No log's key"),
        (TRUST, f"No checkpoint is held of {ORIGIN}"),
        (Trust(SCHEMA, (entry(TESTER, not_after="2026-11-21"),)), "Ended: acme-tester"),
        (Trust(SCHEMA, (entry(TESTER, not_before="2026-11-23"),)), "Not valid yet: acme-tester"),
        (Trust(SCHEMA, (entry(TESTER, predicates=()),)), "no predicate: acme-tester"),
        (with_threshold(TRUST, "eval-result", 2), "needs 2 parties and 1 may sign it"),
        (with_threshold(TRUST, "eval-reslt", 1), "did you mean eval-result?"),
        (revoked(holding(TRUST, note(4)).trust, ORIGIN, 3), "no longer counts"),
        (holding(holding(TRUST, note(4)).trust, note(4, b"\x22" * 32)).trust, "signed two states"),
    ],
)
def test_caveats__planted__are_said_in_words(trust: Trust, words: str) -> None:
    assert words in said(trust)


def test_caveats__threshold_that_can_be_met__is_not_mentioned() -> None:
    assert "none can pass" not in said(with_threshold(TRUST, "eval-result", 1))


def test_caveats__last_and_first_day__are_valid() -> None:
    day = TODAY.isoformat()
    trust = Trust(SCHEMA, (entry(TESTER, not_before=day, not_after=day),))
    assert "Ended" not in said(trust)
    assert "Not valid" not in said(trust)


def test_roles__each__can_be_given() -> None:
    for number, role in enumerate(ROLES):
        key = Key.of("a", bytes([number]) * 32, "b", roles=(role,), origins=(ORIGIN,))
        assert with_key(empty_trust(), key).keys == (key,)
