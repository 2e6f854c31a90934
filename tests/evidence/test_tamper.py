"""Is a change of one byte, anywhere in a dossier, refused by name, as a folder and as a zip?"""

from __future__ import annotations

import io
import random
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from tests.evidence.dossiers import Made, make
from undersigned.core.errors import EvidenceError
from undersigned.evidence.bundle import Bundle, zip_bundle
from undersigned.evidence.verify import Finding, exit_code, verify_dossier

FLIPS = 500
VIEW = "report.html"
OUTER = ("dossier.json", "dossier.sig")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("tamper"))


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def flips(whole: dict[str, bytes], count: int) -> list[tuple[str, int, int]]:
    """Draw places and bits: the same number in every file, then by size."""
    draw = random.Random(500)
    names = sorted(set(whole) - {VIEW})
    sizes = [len(whole[name]) for name in names]
    chosen = [*names * 8, *draw.choices(names, sizes, k=count)][:count]
    return [(name, draw.randrange(len(whole[name])), draw.randrange(8)) for name in chosen]


def flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def failing(findings: list[Finding]) -> list[Finding]:
    return [item for item in findings if item.status == "fails"]


def test_folder__500_seeded_flips_in_every_file__are_refused_by_the_files_name(made: Made) -> None:
    whole = files(made.folder)
    drawn = flips(whole, FLIPS)
    assert Counter(name for name, _, _ in drawn).keys() == whole.keys() - {VIEW}
    for name, at, bit in drawn:
        (made.folder / name).write_bytes(flipped(whole[name], at, bit))
        findings = verify_dossier(made.folder, made.trust)
        (made.folder / name).write_bytes(whole[name])
        assert exit_code(findings) == 3, f"{name} at {at}, bit {bit}"
        named = {item.file for item in failing(findings)}
        # A flip in the manifest may rename another file in it; its signature fails all the same.
        assert named & ({*OUTER} if name in OUTER else {name}), f"{name} at {at}: {named}"
        told = {item.code for item in findings if item.file == name}
        assert name in OUTER or "E-EVD-106" in told
    assert exit_code(verify_dossier(made.folder, made.trust)) == 0


def test_package__flip_in_every_listed_file__is_refused_by_name_when_it_is_read(
    made: Made,
) -> None:
    whole = files(made.folder)
    for name, at, bit in flips(whole, 3 * len(whole)):
        if name in OUTER:
            continue  # the package leaves signatures to the verifier
        (made.folder / name).write_bytes(flipped(whole[name], at, bit))
        with Bundle(made.folder) as bundle, pytest.raises(EvidenceError, match="E-EVD-053") as told:
            bundle.read(name)
        (made.folder / name).write_bytes(whole[name])
        assert told.value.fields["file"] == name


def is_content(archive: bytes) -> list[str]:
    """Return for each byte of a zip which member's content it is part of, empty for headers."""
    owner = [""] * len(archive)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for info in opened.infolist():
            start = info.header_offset + 30 + len(info.filename)
            owner[start : start + info.file_size] = [info.filename] * info.file_size
    return owner


def test_zip__500_seeded_flips__are_refused_or_leave_every_byte_of_content_as_it_was(
    made: Made, tmp_path: Path
) -> None:
    """What is allowed: a flip in a header (times, versions, attributes: bytes that say nothing of
    any content) and in the report, when every finding and every file's bytes are as before."""
    archive = zip_bundle(made.folder, tmp_path / "whole.zip").read_bytes()
    honest = verify_dossier(tmp_path / "whole.zip", made.trust)
    assert exit_code(honest) == 0
    owner, whole = is_content(archive), files(made.folder)
    draw = random.Random(501)
    target = tmp_path / "flipped.zip"
    outcomes: Counter[str] = Counter()
    for _ in range(FLIPS):
        at, bit = draw.randrange(len(archive)), draw.randrange(8)
        target.write_bytes(flipped(archive, at, bit))
        findings = verify_dossier(target, made.trust)
        if exit_code(findings) != 0:
            assert exit_code(findings) == 3
            named = {item.file for item in failing(findings)}
            in_folder = not owner[at] or {owner[at], *OUTER} & named
            assert in_folder, f"in {owner[at]} at {at}: {named}"
            outcomes["content" if owner[at] else "header"] += 1
            continue
        assert owner[at] in ("", VIEW), f"{owner[at]} at {at}, bit {bit}"
        assert findings == honest
        with Bundle(target) as bundle:
            names = set(bundle.names())
            assert names == whole.keys()
            assert all(bundle.read(name) == whole[name] for name in names - {VIEW})
        outcomes["allowed"] += 1
    assert min(outcomes["content"], outcomes["header"], outcomes["allowed"]) > 0


def test_zip__every_bit_of_every_header__is_refused_or_changes_nothing(
    made: Made, tmp_path: Path
) -> None:
    """All of them, not a sample, for the first member's two headers and the end record."""
    archive = zip_bundle(made.folder, tmp_path / "whole.zip").read_bytes()
    honest, target = verify_dossier(tmp_path / "whole.zip", made.trust), tmp_path / "flipped.zip"
    central, end = archive.find(b"PK\x01\x02"), archive.rfind(b"PK\x05\x06")
    places = [*range(42), *range(central, central + 58), *range(end, len(archive))]
    for at in places:
        for bit in range(8):
            target.write_bytes(flipped(archive, at, bit))
            findings = verify_dossier(target, made.trust)
            assert exit_code(findings) == 3 or findings == honest, f"at {at}, bit {bit}"


def test_zip__cut_anywhere__is_refused(made: Made, tmp_path: Path) -> None:
    archive = zip_bundle(made.folder, tmp_path / "whole.zip").read_bytes()
    draw = random.Random(502)
    for end in [*range(40), *(draw.randrange(len(archive)) for _ in range(60)), -1, -22]:
        (tmp_path / "cut.zip").write_bytes(archive[:end])
        assert exit_code(verify_dossier(tmp_path / "cut.zip", made.trust)) == 3
        with pytest.raises(EvidenceError, match="E-EVD-05"):
            Bundle(tmp_path / "cut.zip")


def test_zip__second_member_of_a_name__is_refused_whichever_a_reader_would_take(
    made: Made, tmp_path: Path
) -> None:
    target = zip_bundle(made.folder, tmp_path / "twice.zip")
    with (
        zipfile.ZipFile(target, "a") as archive,
        pytest.warns(UserWarning, match=r"Duplicate name: 'scores\.json'"),
    ):
        archive.writestr("scores.json", b'{"scores":["better"]}')
    codes = {item.code for item in failing(verify_dossier(target, made.trust))}
    assert "E-EVD-102" in codes
    with pytest.raises(EvidenceError, match="E-EVD-051"):
        Bundle(target)
