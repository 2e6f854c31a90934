"""Is every change to a dossier noticed, and is nothing said to hold that cannot be known?"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest

from tests.evidence.dossiers import LOG_KEY, MALLORY, ORIGIN, TESTER, TRUST, Made, Recipe, make
from tests.evidence.test_statements import UNUSABLE_TRUST
from undersigned.core.canonical import encode
from undersigned.evidence import verify
from undersigned.evidence.bundle import zip_bundle
from undersigned.evidence.entries import Entry
from undersigned.evidence.log import Log
from undersigned.evidence.notes import Checkpoint, encode64, sign_note
from undersigned.evidence.statements import pae
from undersigned.evidence.trust import Trust, write_trust
from undersigned.evidence.verify import Finding, exit_code, verify_dossier

OTHER = verify.digest(b"other")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path)


def codes(findings: list[Finding], status: str = "fails") -> set[str]:
    return {item.code for item in findings if item.status == status}


def judge(made: Made) -> list[Finding]:
    return verify_dossier(made.folder, made.trust)


def resign(made: Made, signer: object = TESTER) -> None:
    """List the files as they are now and sign: what a tester can do, and nobody else."""
    path = made.folder / "dossier.json"
    manifest = json.loads(path.read_bytes())
    files = [p for p in made.folder.rglob("*") if p.is_file() and p.parent != made.folder]
    files += [p for p in made.folder.glob("*.json") if p != path]
    manifest["files"] = {
        str(p.relative_to(made.folder)): {
            "size": p.stat().st_size,
            "digest": verify.digest(p.read_bytes()),
        }
        for p in files
    }
    path.write_bytes(encode(manifest))
    signature = encode64(signer.sign(pae(verify.MANIFEST_TYPE, path.read_bytes())))
    (made.folder / "dossier.sig").write_bytes(encode({"keyid": signer.name, "sig": signature}))


def test_verify__honest_dossier__holds_and_says_what_it_cannot_know(made: Made) -> None:
    findings = judge(made)
    assert codes(findings) == set()
    unknown = {f"E-EVD-{n}" for n in (180, 181, 182, 183, 184, 185, 186)}
    assert codes(findings, "unknown") == unknown
    assert exit_code(findings) == 0
    summary = [item.what for item in findings if item.what.startswith("plans in this log")]
    own = "1 registered, 1 completed, 0 abandoned, 0 open"
    assert summary == [
        f"plans in this log: 3 registered, 1 completed, 0 abandoned, 2 open; of this system: {own}"
    ]


def test_verify__zip_of_it__is_judged_alike(made: Made, tmp_path: Path) -> None:
    target = zip_bundle(made.folder, tmp_path / "dossier.zip")
    assert verify_dossier(target, made.trust) == judge(made)


def test_verify__as_a_program_alone__needs_nothing_of_the_package(made: Made) -> None:
    command = [sys.executable, "-I", verify.__file__, str(made.folder), "--trust", str(made.trust)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("HOLDS, within the limits above\n")
    (made.folder / "plan.json").write_bytes(b"{}")
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == json.loads(done.stdout)["exit"] == 3


def test_verify__any_byte_flipped__fails(made: Made) -> None:
    for path in sorted(made.folder.rglob("*")):
        if not path.is_file() or path.name == "report.html":
            continue
        data = path.read_bytes()
        step = 1 if len(data) < 400 else 37
        for at in range(0, len(data), step):
            path.write_bytes(data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :])
            assert codes(judge(made)), f"{path.name} at {at}"
        path.write_bytes(data)
    assert not codes(judge(made))


def test_verify__evidence_flipped_and_listed_again_by_the_tester__still_fails(made: Made) -> None:
    """The manifest is only the outermost layer: what was logged cannot be changed by its author."""
    bound = [
        p
        for p in sorted(made.folder.rglob("*"))
        if p.is_file()
        and p.suffix not in (".zst", ".jsonl", ".html", ".sig")
        and p.name != "dossier.json"
    ]
    for path in bound:
        data = path.read_bytes()
        for at in range(0, len(data), max(1, len(data) // 12)):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            resign(made)
            assert codes(judge(made)), f"{path.name} at {at}"
        path.write_bytes(data)


def test_verify__any_file_deleted_truncated_or_added__is_named(made: Made) -> None:
    for path in sorted(p for p in made.folder.rglob("*") if p.is_file()):
        if path.name == "report.html":
            continue
        data, name = path.read_bytes(), str(path.relative_to(made.folder))
        path.unlink()
        missing = judge(made)
        assert "E-EVD-104" in codes(missing)
        assert any(item.file == name for item in missing)
        path.write_bytes(data[:-1])
        assert codes(judge(made))
        path.write_bytes(data)
    (made.folder / "episodes" / "extra.leaves").write_bytes(b"")
    assert [i.file for i in judge(made) if i.code == "E-EVD-105"] == ["episodes/extra.leaves"]


@pytest.mark.parametrize(
    ("recipe", "code"),
    [
        (Recipe(signer=MALLORY), "E-EVD-112"),
        (Recipe(manifest_signer=MALLORY), "E-EVD-112"),
        (Recipe(manifest_signer=LOG_KEY), "E-EVD-113"),
        (Recipe(log_signer=MALLORY), "E-EVD-120"),
        (Recipe(is_result_first=True), "E-EVD-125"),
        (Recipe(is_closed_twice=True), "E-EVD-129"),
        (Recipe(said=(("turns", "trust-me"),)), "E-EVD-107"),
        (Recipe(said=(("refs", [{"name": "prereg", "digest": OTHER}]),)), "E-EVD-125"),
        (Recipe(said=(("refs", []),)), "E-EVD-125"),
        (Recipe(said=(("plan", OTHER),)), "E-EVD-125"),
        (Recipe(said=(("system", OTHER),)), "E-EVD-126"),
        (Recipe(said=(("scores", OTHER),)), "E-EVD-126"),
        (Recipe(said=(("episodes", {"count": 6, "root": OTHER}),)), "E-EVD-127"),
    ],
)
def test_verify__dishonest_making__fails(tmp_path: Path, recipe: Recipe, code: str) -> None:
    assert code in codes(judge(make(tmp_path, recipe)))


def change(made: Made, name: str, old: bytes, new: bytes) -> None:
    data = (made.folder / name).read_bytes()
    assert old in data
    (made.folder / name).write_bytes(data.replace(old, new, 1))


def test_verify__statement_with_another_valid_looking_signature__fails(made: Made) -> None:
    path = made.folder / "statements/prereg.json"
    envelope = json.loads(path.read_bytes())
    envelope["signatures"][0]["sig"] = encode64(MALLORY.sign(b"something"))
    path.write_bytes(encode(envelope))
    resign(made)
    assert "E-EVD-117" in codes(judge(made))


def test_verify__receipt_of_another_entry__fails(made: Made) -> None:
    with Log.open(made.log, LOG_KEY) as log:
        (made.folder / "proofs/prereg.tlog-proof").write_text(log.receipt(0))
    resign(made)
    assert codes(judge(made)) == {"E-EVD-123"}


def test_verify__receipt_from_a_second_history_of_the_log__fails(
    made: Made, tmp_path: Path
) -> None:
    """The log's own key signs both: only the comparison of the two roots can tell."""
    prereg = (made.folder / "statements/prereg.json").read_bytes()
    hidden = [Entry(verify.uri("prereg"), OTHER, number).data() for number in range(2)]
    with Log.create(tmp_path / "fork", ORIGIN, LOG_KEY) as fork:
        fork.append([*hidden, Entry.of(prereg).data()])
        (made.folder / "proofs/prereg.tlog-proof").write_text(fork.receipt(2))
    resign(made)
    assert codes(judge(made)) == {"E-EVD-122"}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("log/tile/7/000", b"", "E-EVD-122"),
        ("log/tile/entries/000.p/9", b"", "E-EVD-122"),
        ("episodes/shard-00002.leaves", b"l" * 32, "E-EVD-127"),
        ("episodes/notes.txt", b"", "E-EVD-127"),
        ("episodes/shard-00001.leaves", b"l" * 33, "E-EVD-127"),
    ],
)
def test_verify__file_added_and_listed_by_the_tester__fails(
    made: Made, name: str, content: bytes, code: str
) -> None:
    (made.folder / name).parent.mkdir(parents=True, exist_ok=True)
    (made.folder / name).write_bytes(content)
    resign(made)
    assert codes(judge(made)) == {code}


def test_verify__entry_bundle_with_bytes_after_it__fails(made: Made) -> None:
    path = made.folder / "log/tile/entries/000.p/4"
    path.write_bytes(path.read_bytes() + b"\x00\x00")
    resign(made)
    assert codes(judge(made)) == {"E-EVD-122"}


@pytest.mark.parametrize("name", ["report.html", "../up", "dossier.sig"])
def test_verify__manifest_lists_what_it_may_not__fails(made: Made, name: str) -> None:
    listed = b'"files":{"%b":{"digest":"%b","size":1},' % (name.encode(), OTHER.encode())
    change(made, "dossier.json", b'"files":{', listed)
    raw = json.loads((made.folder / "dossier.json").read_bytes())
    (made.folder / "dossier.json").write_bytes(encode(raw))
    assert "E-EVD-102" in codes(judge(made))


@pytest.mark.parametrize("name", ["dossier.json", "dossier.sig"])
def test_verify__signed_json_that_is_not_canonical__fails(made: Made, name: str) -> None:
    change(made, name, b"{", b"{ ")
    data = (made.folder / "dossier.json").read_bytes()
    signature = encode64(TESTER.sign(pae(verify.MANIFEST_TYPE, data)))
    if name == "dossier.json":
        signed = encode({"keyid": TESTER.name, "sig": signature})
        (made.folder / "dossier.sig").write_bytes(signed)
    assert "E-EVD-107" in codes(judge(made))


@pytest.mark.parametrize("limit", ["TOTAL_LIMIT", "COUNT_LIMIT", "FILE_LIMIT"])
def test_verify__beyond_a_limit__is_refused(
    made: Made, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(verify, limit, 5)
    assert "E-EVD-103" in codes(judge(made))


def test_verify__zip_member_with_a_false_size__is_refused(made: Made, tmp_path: Path) -> None:
    target = zip_bundle(made.folder, tmp_path / "d.zip")
    size = (made.folder / "dossier.json").stat().st_size
    old, new = size.to_bytes(4, "little"), (size - 7).to_bytes(4, "little")
    target.write_bytes(target.read_bytes().replace(old, new))
    assert codes(verify_dossier(target, made.trust))


@pytest.mark.parametrize(("data", "code"), UNUSABLE_TRUST)
def test_verify__trust_that_the_package_refuses__is_refused_here_too(
    made: Made, data: bytes, code: str
) -> None:
    made.trust.write_bytes(data)
    assert codes(judge(made)) == {code.replace("04", "11")}


def test_verify__rewritten_by_someone_under_the_testers_name__fails(made: Made) -> None:
    (made.folder / "scores.json").write_bytes(encode({"scores": ["better"]}))
    # The name is free to claim, the key is not.
    resign(made, type("Impostor", (), {"name": TESTER.name, "sign": MALLORY.sign})())
    assert {"E-EVD-109", "E-EVD-126"} <= codes(judge(made))


def test_verify__shards_swapped_by_the_tester__fails(made: Made) -> None:
    one, two = (made.folder / f"episodes/shard-0000{i}.leaves" for i in (0, 1))
    data = one.read_bytes(), two.read_bytes()
    one.write_bytes(data[1])
    two.write_bytes(data[0])
    resign(made)
    assert codes(judge(made)) == {"E-EVD-127"}


def test_verify__log_truncated_to_hide_a_plan__fails_against_a_held_checkpoint(
    made: Made, tmp_path: Path
) -> None:
    with Log.open(made.log, LOG_KEY) as log:
        held = log.checkpoint()
    hidden = make(tmp_path / "again", Recipe(other_plans=0))
    write_trust(hidden.trust, msgspec.structs.replace(TRUST, checkpoints=(held,)))
    assert "E-EVD-172" in codes(judge(hidden), "unknown")
    assert exit_code(judge(hidden)) == 4
    longer = make(tmp_path / "longer", Recipe(other_plans=7))
    write_trust(longer.trust, msgspec.structs.replace(TRUST, checkpoints=(held,)))
    assert codes(judge(longer)) == {"E-EVD-128"}


def test_verify__held_checkpoint_agrees__settles_the_split_view(made: Made) -> None:
    note = (made.folder / "log/checkpoint").read_text()
    write_trust(made.trust, msgspec.structs.replace(TRUST, checkpoints=(note,)))
    assert "E-EVD-180" not in codes(judge(made), "unknown")
    assert exit_code(judge(made)) == 0


def trust_with(**changes: object) -> Trust:
    tester = msgspec.structs.replace(TRUST.keys[1], **changes)
    return msgspec.structs.replace(TRUST, keys=(TRUST.keys[0], tester))


@pytest.mark.parametrize(
    ("trust", "status", "code"),
    [
        (trust_with(predicates=("prereg",)), "fails", "E-EVD-113"),
        (trust_with(roles=("owner",)), "fails", "E-EVD-113"),
        (trust_with(not_before="2026-11-22"), "fails", "E-EVD-115"),
        (trust_with(not_after="2026-11-20"), "unknown", "E-EVD-171"),
        (trust_with(revoked_at=3), "fails", "E-EVD-114"),
        (trust_with(revoked_at=9), "unknown", "E-EVD-171"),
        (msgspec.structs.replace(TRUST, thresholds={"eval-result": 2}), "fails", "E-EVD-118"),
    ],
)
def test_verify__trust_says_otherwise__is_obeyed(
    tmp_path: Path, trust: Trust, status: str, code: str
) -> None:
    assert code in codes(judge(make(tmp_path, trust=trust)), status)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"schema":"undersigned.trust.v1","keys":[],"extra":1}', "E-EVD-110"),
        ('{"schema":"undersigned.trust.v1","keys":[],"keys":[]}', "E-EVD-110"),
        ('{"schema":"undersigned.trust.v2","keys":[]}', "E-EVD-110"),
        ("[" * 100_000, "E-EVD-110"),
        ("\udcff", "E-EVD-110"),
    ],
)
def test_verify__unusable_trust__fails_without_raising(made: Made, text: str, code: str) -> None:
    made.trust.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert codes(judge(made)) == {code}


def test_verify__one_party_in_colliding_roles__is_refused(made: Made) -> None:
    raw = json.loads(made.trust.read_bytes())
    raw["keys"][0]["roles"] = ["log", "witness"]
    made.trust.write_text(json.dumps(raw))
    assert codes(judge(made)) == {"E-EVD-111"}


def hostile_zip(path: Path, names: list[str], mode: int = 0o100644) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, b"x")
    return path


@pytest.mark.parametrize(
    ("names", "mode"),
    [
        (["../up"], 0o100644),
        (["/etc/passwd"], 0o100644),
        (["a//b"], 0o100644),
        (["A"], 0o100644),
        (["a", "link"], 0o120777),
        (["a\u202eb"], 0o100644),
    ],
)
def test_verify__hostile_zip__is_refused_by_name(
    made: Made, tmp_path: Path, names: list[str], mode: int
) -> None:
    path = hostile_zip(tmp_path / "x.zip", names, mode)
    assert codes(verify_dossier(path, made.trust)) == {"E-EVD-102"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_verify__doubled_or_broken_zip__is_refused(made: Made, tmp_path: Path) -> None:
    doubled = hostile_zip(tmp_path / "x.zip", ["dossier.json", "dossier.json"])
    assert codes(verify_dossier(doubled, made.trust)) == {"E-EVD-102"}
    (tmp_path / "y.zip").write_bytes(b"PK\x03\x04 no zip")
    assert codes(verify_dossier(tmp_path / "y.zip", made.trust)) == {"E-EVD-101"}
    assert codes(verify_dossier(tmp_path / "absent", made.trust)) == {"E-EVD-101"}


def test_verify__link_in_a_folder__is_refused(made: Made) -> None:
    (made.folder / "plan.json").unlink()
    (made.folder / "plan.json").symlink_to("/etc/hostname")
    assert codes(judge(made)) == {"E-EVD-102"}


def test_verify__hostile_text__does_not_reach_the_terminal(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    (made.folder / "dossier.sig").write_bytes(b'{"keyid":"\x1b[31m","sig":""}')
    (made.folder / "a\x1b[2Jb").write_bytes(b"")
    assert verify.main([str(made.folder), "--trust", str(made.trust)]) == 3
    assert "\x1b" not in capsys.readouterr().out


def test_verify__checkpoint_of_another_root__is_refused_by_the_log_check(made: Made) -> None:
    forged = sign_note(Checkpoint(ORIGIN, 4, b"\x01" * 32).text(), LOG_KEY)
    (made.folder / "log/checkpoint").write_text(forged)
    resign(made)
    assert "E-EVD-122" in codes(judge(made))


def test_verify__folder_copied_elsewhere__holds(made: Made, tmp_path: Path) -> None:
    shutil.copytree(made.folder, tmp_path / "copy")
    assert not codes(verify_dossier(tmp_path / "copy", made.trust))


def test_verify_py__is_short_enough_to_read_in_one_sitting() -> None:
    source = Path(verify.__file__).read_text()
    tree = ast.parse(source)
    texts = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    table = next(
        node for node in tree.body if isinstance(node, ast.AnnAssign) and "CODES" in ast.dump(node)
    )
    texts |= set(range(table.lineno, (table.end_lineno or 0) + 1))
    lines = enumerate(source.splitlines(), 1)
    code = [n for n, line in lines if line.strip() and line.strip()[0] != "#" and n not in texts]
    assert len(code) <= 680  # see docs/decisions/0010
