"""Is what the program made under its former name told apart, without a word against anybody?

The dossiers in ``golden/former`` were made by the program of that name and are never made again.
Only ``evidence/former.py`` may know the name; this file takes it from there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.floors import ROOT
from tests.evidence.dossiers import LOG_KEY, ORIGIN, make
from undersigned.assessment.registration import RECEIPT, STATEMENT
from undersigned.cli.main import main
from undersigned.core.errors import UndecidableError
from undersigned.evidence import bundle, frames, trust
from undersigned.evidence.former import HOME_FOLDER, HOME_VARIABLE, MARKS, NAME, refuse_former
from undersigned.evidence.log import Log
from undersigned.evidence.statements import PREDICATES, predicate_uri

GOLDEN = ROOT / "tests" / "golden" / "former"
TRUST = GOLDEN / "trust.json"
WORD = NAME.lower()
NOT_OURS = {".git", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}

DOSSIER = next(mark for mark in MARKS if ".dossier." in mark)
JOURNAL = next(mark for mark in MARKS if ".journal." in mark).encode() + b"\n"


def files() -> Iterator[str]:
    """Yield the files of the project: those that git tracks, else whatever lies here."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True
        )
        yield from filter(None, listed.stdout.decode().split("\0"))
        return
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_OURS]
        yield from (str((Path(folder) / name).relative_to(ROOT)) for name in names)


def knows(name: str, data: bytes) -> bool:
    """Tell whether a file bears the former name, in any letter case."""
    return WORD.encode() in data.lower() or WORD in name.lower()


def may_know(name: str) -> bool:
    """Tell whether a file may bear it."""
    single = ("src/undersigned/evidence/former.py", "CHANGELOG.md")
    return name in single or name.startswith("tests/golden/former/")


def test_former_name__every_file__is_known_to_one_module_only() -> None:
    found = [name for name in files() if (ROOT / name).is_file()]
    assert "src/undersigned/evidence/former.py" in found
    strays = [n for n in found if not may_know(n) and knows(n, (ROOT / n).read_bytes())]
    assert not strays, "\n".join(["files that bear the former name:", *strays])


def test_knows__planted_file__is_found_and_its_twin_is_not() -> None:
    assert knows("a.py", f"x = '{NAME.upper()}'".encode())
    assert knows(f"docs/{NAME}.md", b"")
    assert not knows("a.py", WORD[:-1].encode())
    assert not may_know("tests/golden/other.json")


def test_marks__present_ones_under_the_former_name__are_all_that_is_recognised() -> None:
    journal = frames.MAGIC.decode().rstrip("\n")
    present = {bundle.SCHEMA, trust.SCHEMA, journal, *map(predicate_uri, PREDICATES)}
    assert set(MARKS) == {mark.replace("undersigned", WORD) for mark in present}
    for mark in (*present, NAME, "", f"{DOSSIER}x", f"x{DOSSIER}", DOSSIER.upper()):
        refuse_former(mark, "here")


@pytest.mark.parametrize("mark", MARKS)
def test_refuse_former__a_mark__names_the_former_name_and_a_remedy(mark: str) -> None:
    for form in (mark, mark.encode(), mark.encode() + b"\nand more \xff"):
        with pytest.raises(UndecidableError) as caught:
            refuse_former(form, "here")
        assert caught.value.fields == {"made_by": f"{NAME} 0.1.0", "path": "here"}
        assert WORD not in "".join(caught.value.problem).lower()


def unpacked(name: str, folder: Path) -> Path:
    """Unpack a golden dossier into a folder and return it."""
    with zipfile.ZipFile(GOLDEN / f"{name}.zip") as archive:
        archive.extractall(folder)
    return folder


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 4) -> str:
    """Run a command that must end with a code, and return what it said."""
    assert main(list(arguments)) == code
    said = capsys.readouterr()
    return said.out + said.err


@pytest.mark.parametrize("name", ["ungoverned", "governed"])
@pytest.mark.parametrize("form", ["zip", "folder"])
def test_verify__former_dossier__is_undecided_in_one_line_that_accuses_nobody(
    name: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = GOLDEN / f"{name}.zip" if form == "zip" else unpacked(name, tmp_path / "d")
    arguments = ("verify", str(path), "--trust", str(TRUST))
    line, remedy, empty, word = told(capsys, *arguments).rstrip().splitlines()
    assert line.startswith("unknown  E-EVD-090")
    assert f"{NAME} 0.1.0" in line
    assert "to settle it:" in remedy
    assert "commit 330191c" in remedy
    assert (empty, word) == ("", "CANNOT BE DECIDED HERE")
    document = json.loads(told(capsys, *arguments, "--json"))
    assert [f["status"] for f in document["data"]["findings"]] == ["unknown"]
    assert not document["ok"]


def test_verify__former_dossier_under_a_present_trust_file__is_undecided_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = make(tmp_path).trust
    assert "E-EVD-090" in told(capsys, "verify", str(GOLDEN / "governed.zip"), "--trust", str(mine))


@pytest.mark.parametrize(
    "verb", [("report",), ("report", "--episode", "0"), ("policy", "replay")], ids=" ".join
)
def test_readers__former_dossier__say_the_same(
    verb: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, options = [w for w in verb if w.isalpha()], [w for w in verb if not w.isalpha()]
    more = [str(tmp_path / "policy.cedar")] if "replay" in verb else []
    said = told(capsys, *words, str(GOLDEN / "governed.zip"), *more, *options)
    assert "E-EVD-090" in said
    assert f"made_by: {NAME} 0.1.0" in said


def broken(harm: str, folder: Path) -> Path:
    """Return a former dossier that somebody has broken as well."""
    manifest = folder / "dossier.json"
    data = manifest.read_bytes()
    if harm == "torn":
        manifest.write_bytes(data[:-9])
    elif harm == "spaced":
        manifest.write_bytes(data.replace(b",", b", "))
    elif harm == "another field":
        manifest.write_bytes(data.replace(b'"created"', b'"aa":1,"created"'))
    elif harm == "another version":
        manifest.write_bytes(data.replace(DOSSIER.encode(), DOSSIER[:-1].encode() + b"2"))
    elif harm == "a mark and no more":
        manifest.write_bytes(b'{"schema":"%b"}' % DOSSIER.encode())
    elif harm == "too long":
        with manifest.open("r+b") as file:
            file.truncate(bundle.READ_LIMIT + 1)
    elif harm == "a name that is not allowed":
        (folder / "UPPER").write_bytes(b"")
    elif harm == "a link":
        (folder / "link").symlink_to("dossier.json")
    else:
        longer = folder.with_suffix(".zip")
        longer.write_bytes((GOLDEN / "ungoverned.zip").read_bytes() + b"\0")
        return longer
    return folder


@pytest.mark.parametrize(
    "harm",
    [
        "torn",
        "spaced",
        "another field",
        "another version",
        "a mark and no more",
        "too long",
        "a name that is not allowed",
        "a link",
        "more in the zip than its members",
    ],
)
def test_verify__broken_and_with_the_mark__is_refused_as_any_broken_dossier(
    harm: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = broken(harm, unpacked("ungoverned", tmp_path / "d"))
    said = told(capsys, "verify", str(path), "--trust", str(make(tmp_path).trust), code=3)
    assert "E-EVD-090" not in said
    assert said.rstrip().endswith("DOES NOT HOLD")


@pytest.mark.parametrize("file", [TRUST, None], ids=["former trust file", "present trust file"])
def test_verify__former_registration__is_undecided_and_gives_no_nonce(
    file: Path | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, folder = unpacked("ungoverned", tmp_path / "d"), tmp_path / "registration"
    folder.mkdir()
    shutil.copy(whole / "statements" / "prereg.json", folder / STATEMENT)
    shutil.copy(whole / "proofs" / "prereg.tlog-proof", folder / RECEIPT)
    reader = file or make(tmp_path / "mine").trust
    said = told(capsys, "verify", str(folder), "--trust", str(reader))
    assert "E-EVD-090" in said
    assert "nonce" not in said
    (folder / STATEMENT).write_bytes((folder / STATEMENT).read_bytes()[:-9])
    assert "E-COR-003" in told(capsys, "verify", str(folder), "--trust", str(reader), code=3)


def test_trust_file__former__is_named_and_a_new_one_proposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make(tmp_path)
    path = bundle.zip_bundle(made.folder, tmp_path / "d.zip")
    for arguments in (
        ("trust", "show", str(TRUST)),
        ("trust", "add", str(made.trust), "--from", str(TRUST), "--name", "golden-log"),
        ("verify", str(path), "--trust", str(TRUST)),
    ):
        said = told(capsys, *arguments)
        assert "E-EVD-091" in said
        assert f"{NAME} 0.1.0" in said
        assert "undersigned trust init FILE" in said
        assert "fails" not in said


@pytest.fixture
def former_log(tmp_path: Path) -> Path:
    """Return the folder of a log as the former program kept it."""
    folder = tmp_path / "log"
    Log.create(folder, ORIGIN, LOG_KEY).close()
    journal = folder / "journal"
    journal.write_bytes(JOURNAL + journal.read_bytes().removeprefix(frames.MAGIC))
    return folder


@pytest.mark.parametrize("verb", ["show", "checkpoint", "fsck"])
def test_log__former__is_left_to_the_version_that_kept_it(
    verb: str, former_log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in former_log.iterdir() if path.name != "lock"}
    said = told(capsys, "log", verb, "--log", str(former_log))
    assert "E-EVD-092" in said
    assert f"leave {former_log}" in said
    assert all(path.read_bytes() == data for path, data in before.items())


def test_log__former_opened_with_its_own_key__is_neither_damaged_nor_kept_locked(
    former_log: Path,
) -> None:
    for _ in range(2):
        with pytest.raises(UndecidableError, match="E-EVD-092") as caught:
            Log.open(former_log, LOG_KEY)
    assert caught.value.fields["path"] == str(former_log)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the data folder of a user who has nothing yet."""
    for variable in ("UNDERSIGNED_HOME", HOME_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path


def former_row(capsys: pytest.CaptureFixture[str]) -> dict[str, str] | None:
    """Return what doctor says of the former name, None when it says nothing."""
    main(["doctor", "--json"])
    checks = json.loads(capsys.readouterr().out)["data"]["checks"]
    return next((each for each in checks if each["name"] == "former"), None)


def test_doctor__former_home__is_one_warning(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert former_row(capsys) is None
    (home / HOME_FOLDER).mkdir()
    row = former_row(capsys)
    assert row is not None
    assert row["state"] == "warn"
    assert row["found"].startswith(str(home / HOME_FOLDER))
    assert str(home / "undersigned") in row["remedy"]
    monkeypatch.setenv("UNDERSIGNED_HOME", str(home / HOME_FOLDER))
    row = former_row(capsys)
    assert row is not None
    assert "another folder" in row["remedy"]


def test_doctor__variable_of_the_former_name__is_one_warning(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(home / "elsewhere"))
    row = former_row(capsys)
    assert row is not None
    assert str(home / "elsewhere") in row["found"]
