"""Is what lies beside a log told from what was changed, and is a payload gone once erased?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evidence.dossiers import LOG_KEY, ORIGIN, TESTER
from undersigned.core.canonical import digest_bytes
from undersigned.core.errors import EvidenceError, StorageError, UndersignedError
from undersigned.evidence.entries import Entry
from undersigned.evidence.log import Log
from undersigned.evidence.statements import sign_statement, state
from undersigned.evidence.store import ERASING, Store, open_payload, pack_payload

SALT = bytes(range(32))
ENVELOPE = sign_statement(state("prereg", {"system": digest_bytes(b"s")}, {"n": 1}), TESTER)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }  # fmt: skip


def test_store__statement_kept__is_returned_by_its_digest_and_nothing_else_is(store: Store) -> None:
    digest = store.keep_statement(ENVELOPE)
    assert digest == digest_bytes(ENVELOPE)
    assert store.statement(digest) == ENVELOPE
    assert store.statement(digest_bytes(b"another")) is None
    assert store.payload(digest) is None
    assert store.keep_statement(ENVELOPE) == digest
    with pytest.raises(EvidenceError):
        store.keep_statement(b"no statement")


def test_store__payload_kept__is_the_stated_bytes_and_its_digest_depends_on_the_salt(
    store: Store,
) -> None:
    made = store.keep_payload(b"S1234567D", salt=SALT)
    packed = store.payload(made.digest)
    expected = b"undersigned.payload.v1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\nS1234567D"
    assert packed == expected
    assert (made.digest, made.size) == (digest_bytes(expected), len(expected))
    assert open_payload(expected) == b"S1234567D"
    assert store.keep_payload(b"S1234567D", salt=bytes(32)).digest != made.digest


@given(st.binary(max_size=100), st.binary(min_size=32, max_size=32))
def test_payload__packed_and_opened__is_the_same(data: bytes, salt: bytes) -> None:
    assert open_payload(pack_payload(data, salt)) == data


PACKED = pack_payload(b"data", SALT)


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        PACKED[:60],
        PACKED.replace(b".v1", b".v2"),
        PACKED.replace(b"\n", b"\r\n"),
        PACKED.replace(b"AAEC", b"AAE\xff"),
        PACKED.replace(b"AAEC", b"A*EC"),
        PACKED.replace(b"Hh8=\n", b"Hh9=\n"),
        PACKED.replace(b"Hh8=\n", b"Hh8A\n"),
    ],
)
def test_payload__not_packed_as_stated__is_refused(packed: bytes) -> None:
    with pytest.raises(EvidenceError, match="E-EVD-071"):
        open_payload(packed)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_payload__salt_of_another_size__is_refused(store: Store, size: int) -> None:
    with pytest.raises(EvidenceError, match="E-EVD-071"):
        store.keep_payload(b"data", salt=bytes(size))
    assert not store.folder.exists()


def test_store__file_changed__is_an_error_and_no_content(store: Store) -> None:
    digest = store.keep_statement(ENVELOPE)
    made = store.keep_payload(b"data", salt=SALT)
    for path in (store.path("statements", digest), store.path("payloads", made.digest)):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EvidenceError, match="E-EVD-070"):
        store.statement(digest)
    with pytest.raises(EvidenceError, match="E-EVD-070"):
        store.payload(made.digest)


@pytest.mark.parametrize("digest", ["", "sha256:../../journal", "sha256:" + "A" * 64, "0" * 64])
def test_store__digest_that_is_none__is_refused(store: Store, digest: str) -> None:
    for call in (store.statement, store.payload, store.erase):
        with pytest.raises(EvidenceError, match="E-EVD-070"):
            call(digest)


def test_store__erased__only_that_payload_is_gone_and_every_proof_holds(tmp_path: Path) -> None:
    with Log.create(tmp_path / "log", ORIGIN, LOG_KEY) as log:
        store = Store(log.folder / "store")
        statement = store.keep_statement(ENVELOPE)
        kept = store.keep_payload(b"kept", salt=SALT)
        gone = store.keep_payload(b"personal", salt=SALT)
        packed = store.payload(gone.digest) or b""
        log.append([Entry.of(ENVELOPE).data(), Entry.of_payload(packed, "erasable").data()])
        receipts = [log.receipt(0), log.receipt(1)]
        assert store.erase(gone.digest)
        assert not store.erase(gone.digest)
        assert store.payload(gone.digest) is None
        assert len(files(store.folder)) == 2
        assert (store.statement(statement), store.payload(kept.digest)) == (
            ENVELOPE, pack_payload(b"kept", SALT),
        )  # fmt: skip
        assert [log.receipt(0), log.receipt(1)] == receipts
        assert not store.erase(statement)
        assert store.statement(statement) == ENVELOPE


def test_store__erased__the_bytes_were_overwritten_before_the_name_went(store: Store) -> None:
    made = store.keep_payload(b"personal" * 1000, salt=SALT)
    path = store.path("payloads", made.digest)
    os.link(path, store.folder / "second-name")
    store.erase(made.digest)
    assert (store.folder / "second-name").read_bytes() == bytes(made.size)


def test_store__erasure_stopped_half_way__is_finished_by_the_next(store: Store) -> None:
    made = store.keep_payload(b"personal", salt=SALT)
    path = store.path("payloads", made.digest)
    path.rename(path.with_name(path.name + ERASING))
    assert store.payload(made.digest) is None
    assert store.erase(made.digest)
    assert files(store.folder) == {}


def test_store__erasure_that_the_disk_refuses__is_an_error(store: Store, tmp_path: Path) -> None:
    made = store.keep_payload(b"personal", salt=SALT)
    path = store.path("payloads", made.digest)
    (path.with_name(path.name + ERASING) / "folder").mkdir(parents=True)
    with pytest.raises(StorageError, match="E-EVD-073"):
        store.erase(made.digest)
    assert store.payload(made.digest) is not None


def test_store__folder_that_is_a_file__is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("in the way")
    with pytest.raises(UndersignedError, match="E-COR-004"):
        Store(tmp_path / "store").keep_payload(b"data", salt=SALT)
