"""Does ``undersigned log`` show, prove, export, examine, commit, erase and cosign?"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.evidence.dossiers import TESTER
from undersigned.cli.main import main
from undersigned.core.canonical import digest_bytes
from undersigned.evidence.entries import Entry
from undersigned.evidence.equivocation import parse_equivocation, verify_equivocation
from undersigned.evidence.keys import create_key, load_key
from undersigned.evidence.log import Log
from undersigned.evidence.notes import open_checkpoint, parse_receipt, verifier_of
from undersigned.evidence.statements import sign_statement, state
from undersigned.evidence.store import Store, open_payload
from undersigned.evidence.tree import leaf_hash
from undersigned.evidence.trust import SCHEMA, Key, Trust, write_trust
from undersigned.evidence.verify import verify_consistency, verify_inclusion

WITNESS = "witness.example/w1"


class Home:
    """A home folder with a party's key and log, three plans in it, and a witness's key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "home"
        self.key = load_key(create_key(self.folder / "keys", "log", "self-log", party="self"))
        self.log = self.folder / "logs" / "self"
        self.log.parent.mkdir()
        Log.create(self.log, "self-log", self.key).close()
        self.plans = [self.plan(number) for number in range(3)]
        refs = [{"name": "prereg", "digest": digest_bytes(self.plans[0])}]
        subject = {"system": digest_bytes(b"system")}
        self.add([*self.plans, sign_statement(state("eval-result", subject, {"refs": refs}),
                                              TESTER)])  # fmt: skip
        self.witness = create_key(self.folder / "keys", "witness", WITNESS, party="city")
        keys = [
            Key.of("self-log", self.key.public, "self", roles=("log",), origins=("self-log",)),
            Key.of(WITNESS, load_key(self.witness).public, "city", roles=("witness",),
                   origins=("self-log",)),
        ]  # fmt: skip
        self.trust = folder / "trust.json"
        write_trust(self.trust, Trust(SCHEMA, tuple(keys)))

    def plan(self, number: int) -> bytes:
        said = {"system": digest_bytes(b"system"), "plan": digest_bytes(b"%d" % number)}
        return sign_statement(state("prereg", {"system": said["system"]}, said), TESTER)

    def add(self, envelopes: list[bytes]) -> None:
        with Log.open(self.log, self.key) as log:
            for envelope in envelopes:
                Store(self.log / "store").keep_statement(envelope)
            log.append([Entry.of(envelope).data() for envelope in envelopes])
            log.checkpoint()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path)
    monkeypatch.setenv("UNDERSIGNED_HOME", str(made.folder))
    return made


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: object, code: int = 0) -> Any:
        given = ["log", *map(str, arguments)]
        assert main(given) == code
        return capsys.readouterr().out if code in (0, 3) else capsys.readouterr().err

    return call


def data(text: str) -> Any:
    return json.loads(text)["data"]


def test_show__entries__are_listed_with_the_state_of_each_plan(home: Home, run: Any) -> None:
    shown = data(run("show", "--json"))
    assert (shown["origin"], shown["size"], shown["cosigners"]) == ("self-log", 4, [])
    assert [row["state"] for row in shown["entries"]] == ["completed", "open", "open", ""]
    text = run("show")
    assert "cosigned by   nobody" in text
    assert "    3  eval-result  sha256:" in text
    assert f"closes {digest_bytes(home.plans[0])[:19]}" in text
    assert [r["position"] for r in data(run("show", "--open", "--json"))["entries"]] == [1, 2]
    rows = data(run("show", "--predicate", "prereg", "--limit", 1, "--json"))["entries"]
    assert [row["position"] for row in rows] == [2]
    assert "no such entries" in run("show", "--predicate", "grant")


def test_show__log_named_by_its_folder__is_shown(home: Home, run: Any) -> None:
    assert data(run("show", "--log", home.log, "--json"))["size"] == 4


@pytest.mark.parametrize("verb", ["show", "checkpoint", "fsck", "request"])
def test_verbs__without_a_log__say_so_and_make_none(home: Home, run: Any, verb: str) -> None:
    assert run(verb, "--party", "nobody", code=70).startswith("E-EVD-025")
    assert sorted(path.name for path in home.log.parent.iterdir()) == ["self"]


def test_verbs__log_in_use_or_key_gone__are_refused_in_words(home: Home, run: Any) -> None:
    with Log.open(home.log, home.key):
        assert run("show", code=70).startswith("E-EVD-020")
        assert "a process has the log open" in run("fsck")
    next((home.folder / "keys").glob("log-*")).unlink()
    assert run("checkpoint", code=6).startswith("E-EVD-011")


def test_prove__index_or_digest__is_a_receipt_that_an_outsider_can_check(
    home: Home, run: Any, tmp_path: Path
) -> None:
    by_index = run("prove", 1)
    assert run("prove", digest_bytes(home.plans[1])[:30]) == by_index
    run("prove", "1", "--out", tmp_path / "receipt")
    assert (tmp_path / "receipt").read_text() == by_index
    receipt = parse_receipt(by_index)
    point = open_checkpoint(receipt.checkpoint, [verifier_of(home.key)], "self-log")
    leaf = leaf_hash(Entry.of(home.plans[1]).data())
    assert verify_inclusion(leaf, 1, 4, receipt.hashes, point.root)


def test_prove__from_a_size__proves_growth(home: Home, run: Any) -> None:
    import base64

    with Log.open(home.log, home.key) as log:
        old, new = log.root(3), log.root()
    shown = data(run("prove", "--from", 3, "--json"))
    hashes = [base64.b64decode(item) for item in shown["hashes"]]
    assert verify_consistency(3, shown["to"], hashes, old, new)
    assert run("prove", "--from", 3).split() == shown["hashes"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["9"], "E-EVD-001"), (["sha256:ffff"], "E-EVD-076"), ([""], "E-EVD-076"),
        ([], "E-CLI-001"), (["1", "--from", "2"], "E-CLI-001"), (["--from", "9"], "E-EVD-001"),
        (["--from", "0"], "E-CLI-001"),
    ],
)  # fmt: skip
def test_prove__what_is_not_there__is_refused(
    home: Home, run: Any, arguments: list[str], code: str
) -> None:
    assert run("prove", *arguments, code=2).startswith(code)


def test_checkpoint__note__is_the_published_one(home: Home, run: Any) -> None:
    assert run("checkpoint") == (home.log / "checkpoint").read_text()


def test_fsck__whole_and_damaged__exit_codes_tell_them_apart(home: Home, run: Any) -> None:
    assert {c["status"] for c in data(run("fsck", "--json"))["checks"]} == {"holds"}
    assert "is signed by the log self-log" in run("fsck", "--trust", home.trust)
    Store(home.log / "store").path("statements", digest_bytes(home.plans[0])).write_bytes(b"x")
    assert "E-EVD-070" in run("fsck", code=3)


def test_export__twice__the_checkpoint_moves_forward(home: Home, run: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert data(run("export", out, "--json")) == {"folder": str(out), "files": 3, "size": 4}
    home.add([home.plan(9)])
    run("export", out)
    assert (out / "checkpoint").read_text() == (home.log / "checkpoint").read_text()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    assert run("export", tmp_path / "full", code=2).startswith("E-EVD-074")


def test_commit_and_erase__payload__is_gone_and_its_receipt_stays(
    home: Home, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "transcript").write_bytes(b"S1234567D")
    made = data(run("commit", tmp_path / "transcript", "--retention", "erasable", "--json"))
    other = data(run("commit", tmp_path / "transcript", "--retention", "term", "--json"))
    assert made["commitment"] != other["commitment"]
    store = Store(home.log / "store")
    assert open_payload(store.payload(made["commitment"]) or b"") == b"S1234567D"
    receipt = run("prove", made["index"])
    assert run("erase", made["commitment"], code=2).startswith("E-EVD-084")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert run("erase", made["commitment"], code=2).startswith("E-EVD-084")
    assert store.payload(made["commitment"]) is not None
    assert data(run("erase", made["commitment"], "--yes", "--json"))["erased"] is True
    assert data(run("erase", made["commitment"], "--yes", "--json"))["erased"] is False
    assert store.payload(made["commitment"]) is None
    assert store.payload(other["commitment"]) is not None
    assert parse_receipt(run("prove", made["index"])).index == parse_receipt(receipt).index
    assert "E-EVD-079" in run("fsck")


def test_erase__statement_or_unknown__is_refused(home: Home, run: Any) -> None:
    assert run("erase", digest_bytes(home.plans[0]), "--yes", code=2).startswith("E-EVD-076")
    assert run("erase", digest_bytes(b"unknown"), "--yes", code=2).startswith("E-EVD-076")
    assert run("commit", home.trust, "--retention", "permanent", code=2).startswith("E-CLI-001")


def cosign_verb(home: Home, run: Any, request: Path, *more: object, code: int = 0) -> str:
    state_file = home.folder.parent / "witness-state"
    answer: str = run("cosign", request, "--key", home.witness, "--state", state_file,
                      "--trust", home.trust, *more, code=code)  # fmt: skip
    return answer


def test_cosigning__by_files__puts_the_witness_into_checkpoint_and_receipts(
    home: Home, run: Any, tmp_path: Path
) -> None:
    request, answer = tmp_path / "request", tmp_path / "answer"
    run("request", "--out", request)
    assert request.read_text() == run("request")
    answer.write_text(cosign_verb(home, run, request, "--new-state"))
    assert answer.read_text().startswith(f"\N{EM DASH} {WITNESS} ")
    note = run("cosigned", answer, "--trust", home.trust)
    assert note == run("checkpoint")
    assert note.endswith(answer.read_text())
    assert run("prove", 0).endswith(note)
    assert data(run("show", "--json"))["cosigners"] == [WITNESS]
    home.add([home.plan(7)])
    assert WITNESS not in run("checkpoint")
    run("request", "--out", request)
    assert cosign_verb(home, run, request, code=3) == "4\n"
    run("request", "--old", 4, "--out", request)
    answer.write_text(cosign_verb(home, run, request))
    assert WITNESS in run("cosigned", answer, "--trust", home.trust)


def test_cosigned__no_line_that_counts__is_refused_and_nothing_is_added(
    home: Home, run: Any, tmp_path: Path
) -> None:
    run("request", "--out", tmp_path / "request")
    good = cosign_verb(home, run, tmp_path / "request", "--new-state")
    before = run("checkpoint")
    foreign = good.replace("w1", "w2")
    home.add([home.plan(8)])
    for lines in (good, foreign, "", "no line\n", "404 unknown\n"):
        (tmp_path / "answer").write_text(lines)
        assert main(["log", "cosigned", str(tmp_path / "answer"), "--trust", str(home.trust)]) == 3
    assert WITNESS not in run("checkpoint")
    assert before != run("checkpoint")


def test_cosign__second_history__is_refused_and_the_proof_is_kept(
    home: Home, run: Any, tmp_path: Path
) -> None:
    run("request", "--out", tmp_path / "request")
    cosign_verb(home, run, tmp_path / "request", "--new-state")
    with Log.create(tmp_path / "fork", "self-log", home.key) as log:
        log.append([Entry.of(home.plan(number)).data() for number in range(10, 14)])
        log.checkpoint()
    run("request", "--old", 4, "--log", tmp_path / "fork", "--out", tmp_path / "request")
    proof = tmp_path / "proof"
    assert cosign_verb(home, run, tmp_path / "request", "--evidence-out", proof, code=3) == "4\n"
    assert verify_equivocation(proof.read_bytes(), [verifier_of(home.key)])
    assert parse_equivocation(proof.read_bytes()).origin == "self-log"
