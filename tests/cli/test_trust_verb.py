"""Does ``undersigned trust`` write a trust file that a newcomer understands and nobody weakens?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from undersigned.cli.main import main
from undersigned.cli.trust import command
from undersigned.evidence.keys import FileKey, create_key, load_key
from undersigned.evidence.notes import COSIGNATURE, Checkpoint, sign_note, verifier_of
from undersigned.evidence.trust import SCHEMA, Key, Trust, load_trust, write_trust
from undersigned.evidence.trusting import fingerprint

LOG = FileKey.from_seed(b"l" * 32, name="acme-log", role="log", party="acme")
TESTER = FileKey.from_seed(b"t" * 32, name="acme-tester", role="tester", party="acme")
WITNESS = FileKey.from_seed(b"w" * 32, name="watch.example", role="witness")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Return the trust file that a tester hands out as an example."""
    keys = (
        Key.of(TESTER.name, TESTER.public, "acme", roles=("tester",), predicates=("prereg",)),
        Key.of(LOG.name, LOG.public, "acme", roles=("log",), origins=("acme-log",)),
    )
    path = tmp_path / "theirs.json"
    write_trust(path, Trust(SCHEMA, keys))
    return path


@pytest.fixture
def mine(tmp_path: Path, other: Path) -> Path:
    """Return the reader's own file, with both keys."""
    path = tmp_path / "mine.json"
    write_trust(path, load_trust(other))
    return path


def trust(*arguments: object) -> int:
    return main(["trust", *map(str, arguments)])


def data(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> object:
    capsys.readouterr()
    assert trust(*arguments, "--json") == code
    return json.loads(capsys.readouterr().out)["data"]


def checkpoint(path: Path, size: int, root: bytes = b"\x11" * 32, key: FileKey = LOG) -> Path:
    path.write_text(sign_note(Checkpoint("acme-log", size, root).text(), key))
    return path


@pytest.mark.parametrize("role", ["provider", "witness", "log", "owner"])
def test_key__made__signs_as_its_role_and_can_be_added(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], role: str
) -> None:
    folder = tmp_path / "keys"
    made = data(capsys, "key", "gate-1", "--role", role, "--party", "acme", "--folder", folder)
    path = Path(made["file"])  # type: ignore[index]
    key = load_key(path)
    assert (key.name, key.role, key.party) == ("gate-1", role, "acme")
    assert path.stat().st_mode & 0o777 == 0o600
    assert bool(made["verifier_key"]) == (role in ("witness", "log"))  # type: ignore[index]
    assert trust("init", tmp_path / "t.json") == 0
    assert trust("add", tmp_path / "t.json", "--key-file", path, "--origin", "some-log") == 0
    assert [k.public_bytes for k in load_trust(tmp_path / "t.json").keys] == [key.public]
    capsys.readouterr()
    assert trust("key", "gate-1", "--role", role, "--party", "acme", "--folder", folder) == 2
    assert "E-EVD-012" in capsys.readouterr().err


def test_key__line_of_a_witness__is_taken_by_add(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "keys"
    made = data(capsys, "key", "w.example", "--role", "witness", "--party", "w", "--folder", folder)
    line = made["verifier_key"]  # type: ignore[index]
    file = tmp_path / "t.json"
    assert trust("init", file) == 0
    assert trust("add", file, "--vkey", line, "--party", "w", "--origin", "some-log") == 0
    assert load_trust(file).keys[0].roles == ("witness",)


def test_key__in_a_repository_or_under_a_bad_name__is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    assert trust("key", "k", "--role", "owner", "--party", "acme", "--folder", "keys") == 2
    assert "E-EVD-013" in capsys.readouterr().err
    assert not (tmp_path / "keys").exists()
    (tmp_path / ".git").rmdir()
    for arguments in (("K!", "--party", "acme"), ("k", "--party", "Acme Ltd")):
        home = tmp_path.parent / "elsewhere"
        assert trust("key", *arguments, "--role", "owner", "--folder", home) == 2
        assert "E-EVD-007" in capsys.readouterr().err
    assert trust("key", "k", "--role", "king", "--party", "acme", "--folder", "/tmp/x") == 2


def test_init__new__believes_nobody_and_names_the_next_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my trust.json"
    assert trust("init", path) == 0
    assert load_trust(path) == Trust(SCHEMA, ())
    assert f"undersigned trust add '{path}' --from" in capsys.readouterr().out
    assert trust("show", path) == 0
    assert "believes nobody" in capsys.readouterr().out


def test_init__name_is_taken__is_refused(
    tmp_path: Path, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "nowhere")
    before = mine.read_bytes()
    for path in (mine, tmp_path / "link.json"):
        assert trust("init", path) == 2
        assert capsys.readouterr().err.startswith("E-EVD-085")
    assert mine.read_bytes() == before
    assert not (tmp_path / "nowhere").exists()


def test_add__from_another_file__copies_the_entry_and_asks_to_compare(
    tmp_path: Path, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.json"
    trust("init", path)
    assert trust("add", path, "--from", other, "--name", "acme-tester") == 0
    text = capsys.readouterr().out
    assert load_trust(path).keys == load_trust(other).keys[:1]
    groups = fingerprint(TESTER.public)
    assert groups[:39] in text
    assert groups[40:] in text
    assert "Compare the fingerprint with acme by another way" in " ".join(text.split())


def test_add__options__say_otherwise_than_the_source(tmp_path: Path, other: Path) -> None:
    path = tmp_path / "mine.json"
    trust("init", path)
    options = ["--party", "lab", "--predicate", "eval-result", "--not-after", "2027-01-31"]
    assert trust("add", path, "--from", other, "--name", "acme-tester", *options) == 0
    (key,) = load_trust(path).keys
    assert (key.party, key.roles, key.predicates) == ("lab", ("tester",), ("eval-result",))
    assert (key.not_before, key.not_after) == (None, "2027-01-31")


def test_add__fingerprint_given__must_be_the_keys(
    tmp_path: Path, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.json"
    trust("init", path)
    source = ["--from", other, "--name", "acme-tester", "--fingerprint"]
    before = path.read_bytes()
    for wrong in (fingerprint(LOG.public), fingerprint(TESTER.public)[:-5], ""):
        assert trust("add", path, *source, wrong) == 2
        assert "nothing was added" in capsys.readouterr().err
        assert path.read_bytes() == before
    told = f"SHA256:{fingerprint(TESTER.public).upper().replace(' ', ':')}"
    assert trust("add", path, *source, told) == 0
    assert "is the one that you gave" in capsys.readouterr().out


def test_add__verifier_key_line_of_a_log_and_of_a_witness__is_read_by_its_type(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.json"
    trust("init", path)
    log, witness = verifier_of(LOG).text(), verifier_of(WITNESS, COSIGNATURE).text()
    more = ["--party", "acme", "--role", "log", "--origin", "go.sum database tree"]
    assert trust("add", path, "--vkey", f" {log}\n", *more) == 0
    assert trust("add", path, "--vkey", witness, "--party", "watch", "--origin", "acme-log") == 0
    keys = load_trust(path).keys
    assert [(key.name, key.roles, key.public_bytes) for key in keys] == [
        ("acme-log", ("log",), LOG.public),
        ("watch.example", ("witness",), WITNESS.public),
    ]
    assert keys[0].origins == ("go.sum database tree",)


def test_add__private_key_of_ones_own__takes_the_public_half_and_prints_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, keys = tmp_path / "mine.json", tmp_path / "keys"
    own = create_key(keys, "tester", "lab-tester", party="lab")
    trust("init", path)
    assert trust("add", path, "--key-file", own, "--predicate", "prereg") == 0
    shown = capsys.readouterr().out
    (key,) = load_trust(path).keys
    assert (key.name, key.party, key.roles) == ("lab-tester", "lab", ("tester",))
    assert key.public_bytes == load_key(own).public
    secret = own.read_text().splitlines()[4]
    assert len(secret) == 64
    assert secret not in shown + path.read_text()
    own.chmod(0o644)
    before = path.read_bytes()
    assert trust("add", path, "--key-file", own) == 6
    assert capsys.readouterr().err.startswith("E-EVD-010")
    assert path.read_bytes() == before


LOG_LINE = ["--vkey", verifier_of(LOG).text(), "--party", "x", "--role", "log", "--origin", "o"]
FRESH = verifier_of(FileKey.from_seed(b"f" * 32, name="fresh", role="log")).text()
COSIGNER = verifier_of(WITNESS, COSIGNATURE).text()

REFUSED = {
    "no source": ([], "E-CLI-001", "--key-file"),
    "two sources": ([*LOG_LINE, "--key-file", "k"], "E-CLI-001", "give one of"),
    "name without file": ([*LOG_LINE, "--name", "a"], "E-CLI-001", "go together"),
    "file without name": (["--from", "theirs.json"], "E-CLI-001", "trust show"),
    "unknown entry": (["--from", "theirs.json", "--name", "acme-tster"], "E-EVD-087",
                      "nearest: acme-tester"),
    "same entry": (["--from", "theirs.json", "--name", "acme-log"], "E-EVD-086", "entry: acme-log"),
    "same key as a line": (LOG_LINE, "E-EVD-086", "entry_fingerprint"),
    "no party": (["--vkey", FRESH, "--role", "log"], "E-CLI-001", "--party"),
    "no role": (["--vkey", FRESH, "--party", "x"], "E-CLI-001", "--role"),
    "no origin": (["--vkey", FRESH, "--party", "x", "--role", "log"], "E-CLI-001", "--origin"),
    "no such role": (["--vkey", FRESH, "--role", "boss"], "E-CLI-001", "approver"),
    "log as witness": (["--vkey", FRESH, "--party", "x", "--role", "witness"], "E-CLI-001",
                       "type 4"),
    "witness as log": (["--vkey", COSIGNER, "--party", "x", "--role", "log"], "E-CLI-001",
                       "leave --role out"),
    "colliding roles": (["--vkey", COSIGNER, "--party", "acme", "--origin", "o"], "E-EVD-041",
                        "acme"),
    "line cut": (["--vkey", FRESH[:-4], "--party", "x"], "E-EVD-005", "try"),
    "line changed": (["--vkey", FRESH.replace("fresh", "flesh")], "E-EVD-005", "does not match"),
    "line in other letters": (["--vkey", FRESH.replace("e", "\u0435", 1)], "E-EVD-005", "ASCII"),
    "line not text": (["--vkey", "\udcff"], "E-EVD-005", "u{dcff}"),
    "party with an escape": (["--vkey", FRESH, "--party", "x\x1b[2J", "--role", "owner"],
                             "E-EVD-007", "u{1b}"),
    "origin that turns": (["--vkey", FRESH, "--party", "x", "--role", "log", "--origin", "\u202eo"],
                          "E-EVD-040", "u{202e}"),
    "no date": (["--vkey", FRESH, "--not-after", "2026-02-30"], "E-CLI-001", "YYYY-MM-DD"),
    "ends before it begins": ([*LOG_LINE[:1], FRESH, *LOG_LINE[2:], "--not-before", "2026-02-01",
                               "--not-after", "2026-01-01"], "E-EVD-040", "before it begins"),
    "card that is not there": (["--key-file", "pkcs11:token=a"], "E-EVD-089", "known: file:"),
    "key that is not there": (["--key-file", "absent.pem"], "E-EVD-011", "absent.pem"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_add__wrong__is_refused_in_words_and_the_file_stays(
    mine: Path,
    arguments: list[str],
    code: str,
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(mine.parent)
    before = mine.read_bytes()
    assert trust("add", mine, *arguments) in (2, 3, 6)
    said = capsys.readouterr()
    assert said.err.startswith(code)
    assert words in said.err
    assert not said.out
    assert all(c.isprintable() or c == "\n" for c in said.err)
    assert mine.read_bytes() == before
    assert {path.name for path in mine.parent.iterdir()} == {"mine.json", "theirs.json"}


def test_revoke__then_later__needs_force(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trust("revoke", mine, "acme-log", "--at", 7) == 0
    assert "Checkpoints beyond size 7" in capsys.readouterr().out
    before = mine.read_bytes()
    assert trust("revoke", mine, "acme-log", "--at", 8) == 2
    assert capsys.readouterr().err.startswith("E-EVD-088")
    assert trust("revoke", mine, "acme-lg", "--at", 3) == 2
    assert "nearest: acme-log" in capsys.readouterr().err
    for position in ("-1", "1.5", "nine", str(2**53)):
        assert trust("revoke", mine, "acme-log", "--at", position) == 2
    assert trust("revoke", mine, "acme-log") == 2
    assert mine.read_bytes() == before
    assert trust("revoke", mine, "acme-log", "--at", 8, "--force") == 0
    assert load_trust(mine).keys[1].revoked_at == 8


def test_hold__first_larger_and_older__says_what_became_of_each(
    tmp_path: Path, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small, large = checkpoint(tmp_path / "small", 4), checkpoint(tmp_path / "large", 9)
    assert trust("hold", mine, small) == 0
    assert "held: acme-log at size 4" in capsys.readouterr().out
    assert trust("hold", mine, large, "--replace") == 0
    shown = capsys.readouterr().out
    assert "undersigned trust hold" in shown
    dropped = "\n".join(line[4:] for line in shown.splitlines() if line.startswith("    "))
    assert f"{dropped.strip()}\n" == small.read_text()
    assert data(capsys, "hold", mine, small, "--replace")["outcome"] == "older"  # type: ignore[index]
    assert load_trust(mine).checkpoints == (large.read_text(),)
    assert trust("hold", mine, small) == 0
    assert set(load_trust(mine).checkpoints) == {large.read_text(), small.read_text()}


def test_hold__contradiction__is_loud_exits_3_and_keeps_both(
    tmp_path: Path, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = checkpoint(tmp_path / "one", 4)
    two = checkpoint(tmp_path / "two", 4, b"\x22" * 32)
    assert trust("hold", mine, one) == 0
    assert trust("hold", mine, two) == 3
    said = capsys.readouterr().err
    assert said.startswith("E-EVD-128")
    assert "PROOF OF TWO HISTORIES" in said
    assert ("11" * 32) in said
    assert ("22" * 32) in said
    assert load_trust(mine).checkpoints == (one.read_text(), two.read_text())
    assert trust("hold", mine, one) == 3
    assert ("22" * 32) in capsys.readouterr().err
    assert trust("show", mine) == 0
    assert "has signed two states of size 4" in capsys.readouterr().out


def test_hold__of_a_stranger_or_no_text_or_too_long__is_refused_and_the_file_stays(
    tmp_path: Path, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = FileKey.from_seed(b"x" * 32, name="acme-log", role="log")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "long").write_bytes(b"a" * 1_000_000)
    before = mine.read_bytes()
    for path, code in (
        (checkpoint(tmp_path / "stranger", 4, key=stranger), "E-EVD-003"),
        (tmp_path / "binary", "E-EVD-002"),
        (tmp_path / "long", "E-EVD-002"),
        (tmp_path / "absent", "E-COR-005"),
        (mine, "E-EVD-002"),
    ):
        assert trust("hold", mine, path) in (3, 70)
        assert capsys.readouterr().err.startswith(code)
    assert mine.read_bytes() == before


def test_threshold_and_separate__each__changes_the_file_or_says_why_not(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trust("threshold", mine, "prereg", 2) == 0
    assert "1 may sign it: none can pass" in capsys.readouterr().out
    assert trust("separate", mine, "tester", "provider") == 0
    assert trust("separate", mine, "witness", "log") == 0
    assert "nothing changed" in capsys.readouterr().out
    after = load_trust(mine)
    assert (after.thresholds, after.separate_roles) == ({"prereg": 2}, (("tester", "provider"),))
    before = mine.read_bytes()
    for arguments in (
        ("threshold", "prereg", 0),
        ("threshold", "Pre Reg", 1),
        ("separate", "tester", "log"),
        ("separate", "tester", "boss"),
        ("separate", "tester", "tester"),
        ("separate", "tester"),
    ):
        verb, *rest = arguments
        assert trust(verb, mine, *rest) in (2, 3)
    assert mine.read_bytes() == before


def test_show__a_full_file__names_everything_in_it(
    tmp_path: Path, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust("hold", mine, checkpoint(tmp_path / "point", 4))
    trust("revoke", mine, "acme-tester", "--at", 6)
    trust("separate", mine, "tester", "provider")
    trust("threshold", mine, "prereg", 1)
    mine.chmod(0o666)
    capsys.readouterr()
    assert trust("show", mine) == 0
    text = capsys.readouterr().out
    for words in (
        "2 keys of 1 party",
        "may sign     prereg",
        "for logs     acme-log",
        "only before log position 6 (REVOKED)",
        "prereg: 1 party",
        "tester and provider (this file)",
        "acme-log at size 4, root 1111111111111111...",
        "tester and log in one party",
        "No witness",
        "Others can write this file: chmod go-w",
    ):
        assert words in text
    assert max(map(len, text.splitlines())) <= 100
    found = data(capsys, "show", mine)
    assert isinstance(found, dict)
    assert [key["fingerprint"] for key in found["keys"]] == [
        fingerprint(TESTER.public),
        fingerprint(LOG.public),
    ]
    assert found["checkpoints"] == [{"origin": "acme-log", "size": 4, "root": "11" * 32}]


def test_show__malformed_or_absent__is_refused_with_the_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.json").write_bytes(b'{"schema":"undersigned.trust.v1","keys":NaN}')
    assert trust("show", tmp_path / "bad.json") == 3
    said = capsys.readouterr().err
    assert said.startswith("E-EVD-040")
    assert f"correct the named field in {tmp_path / 'bad.json'}" in said
    assert trust("show", tmp_path / "absent.json") == 70
    assert trust("show", tmp_path) == 2


def test_help__every_verb__is_summed_up_without_being_cut(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert trust("--help") == 0
    text = capsys.readouterr().out
    assert "..." not in text.partition("Commands:")[2]
    verbs = re.findall(r"^  ([a-z]+)  ", text, re.MULTILINE)
    assert verbs == sorted(command.commands)  # type: ignore[attr-defined]
