"""Does a dossier read the same from a folder and a zip, and only as it was written?"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.evidence.dossiers import CREATED, TESTER, make
from undersigned.core.canonical import digest_bytes
from undersigned.core.errors import EvidenceError, UsageError
from undersigned.evidence.bundle import Bundle, write_bundle, zip_bundle
from undersigned.evidence.problems import ALL
from undersigned.evidence.verify import CODES

DIGEST = digest_bytes(b"x")


def write(folder: Path, files: dict[str, bytes | Path]) -> Path:
    return write_bundle(folder, files, TESTER, created=CREATED, system=DIGEST, plan=DIGEST)


def test_bundle__folder_and_zip__hold_the_same_files(tmp_path: Path) -> None:
    made = make(tmp_path)
    target = zip_bundle(made.folder, tmp_path / "d.zip")
    with Bundle(made.folder) as folder, Bundle(target) as packed:
        assert folder.names() == packed.names()
        assert all(folder.read(name) == packed.read(name) for name in folder.names())
    again = zip_bundle(made.folder, tmp_path / "again.zip")
    assert target.read_bytes() == again.read_bytes()


def test_bundle__file_from_a_path__is_copied(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"data")
    folder = write(tmp_path / "d", {"a/b": tmp_path / "source"})
    with Bundle(folder) as bundle:
        assert bundle.read("a/b") == b"data"


def test_bundle__file_changed_unlisted_or_missing__is_refused_by_name(tmp_path: Path) -> None:
    folder = write(tmp_path / "d", {"a": b"1", "b": b"2"})
    (folder / "a").write_bytes(b"9")
    (folder / "c").write_bytes(b"3")
    with Bundle(folder) as bundle:
        assert bundle.read("b") == b"2"
        for name in ("a", "c", "absent"):
            with pytest.raises(EvidenceError, match=r"E-EVD-053") as caught:
                bundle.read(name)
            assert caught.value.fields["file"] == name


@pytest.mark.parametrize(
    "name", ["../a", "/a", "A", "a//b", "a/./b", "a/", "", "dossier.json", ".a", "a\n"]
)
def test_write_bundle__hostile_name__is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="E-EVD-051"):
        write(tmp_path / "d", {name: b""})
    assert not (tmp_path / "d").exists()


def test_write_bundle__file_inside_a_file_or_old_folder__is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="E-EVD-051"):
        write(tmp_path / "d", {"a": b"", "a/b": b""})
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "old").write_bytes(b"")
    with pytest.raises(UsageError, match="E-EVD-054"):
        write(tmp_path / "d", {"a": b""})


def test_bundle__zip_member_with_a_false_size__is_refused(tmp_path: Path) -> None:
    target = zip_bundle(write(tmp_path / "d", {"a": b"z" * 5000}), tmp_path / "d.zip")
    data = target.read_bytes()
    assert data.count((5000).to_bytes(4, "little")) == 4
    target.write_bytes(data.replace((5000).to_bytes(4, "little"), (4000).to_bytes(4, "little")))
    with pytest.raises(EvidenceError, match="E-EVD-050"):
        Bundle(target)


@pytest.mark.parametrize(
    "harm", ["prefix", "suffix", "comment", "gap", "encrypted", "future version", "two members"]
)
def test_bundle__zip_that_two_readers_could_read_differently__is_refused(
    harm: str, tmp_path: Path
) -> None:
    target = zip_bundle(write(tmp_path / "d", {"a": b"z" * 50}), tmp_path / "d.zip")
    data = target.read_bytes()
    directory = data.index(b"PK\1\2")
    if harm == "prefix":
        data = b"MZ" + data
    elif harm == "suffix":
        data += b"\0"
    elif harm == "comment":
        data = data[:-2] + b"\1\0x"
    elif harm == "gap":
        data = data[:directory] + b"\0" * 9 + data[directory:]
    elif harm == "encrypted":
        data = data[:6] + b"\1" + data[7:]
    elif harm == "future version":
        data = data[: directory + 6] + b"\xff" + data[directory + 7 :]
    else:
        data = target.read_bytes() + data
    target.write_bytes(data)
    with pytest.raises(EvidenceError, match=r"E-EVD-05[01]"):
        Bundle(target)


def test_bundle__not_a_dossier__is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"no zip")
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        info = zipfile.ZipInfo("dossier.json")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, b"/etc/passwd")
    (tmp_path / "empty").mkdir()
    for name, code in (("x", "050"), ("link.zip", "051"), ("empty", "053"), ("absent", "050")):
        with pytest.raises(EvidenceError, match=f"E-EVD-{code}"):
            Bundle(tmp_path / name)


def test_problems__every_code__is_listed_once_and_says_what_to_do() -> None:
    codes = [problem.code for problem in ALL]
    assert len(set(codes)) == len(codes)
    assert {f"E-EVD-{number}" for number in CODES} <= set(codes)
    assert all(problem.why.endswith(".") and problem.remedy for problem in ALL)
