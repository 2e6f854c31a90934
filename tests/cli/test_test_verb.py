"""Does ``undersigned test`` do what it says, survive a kill anywhere, and refuse the rest in words?

Whole runs go through the command as a user would start it, in a home of their own.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.assessment.small import CARD_TEXT, reference
from undersigned.assessment.card import load_card
from undersigned.assessment.registry import label_of, open_tester
from undersigned.assessment.run import Order, prepare
from undersigned.cli.main import main
from undersigned.cli.output import EXIT_CODES
from undersigned.episodes.execute import open_run

BUDGET = "260"
"""A whole shard and a part of one."""

PROGRAM = """
import os, signal, sys
from importlib import import_module
from undersigned.cli.main import main

def deadly(function, after, name):
    seen = 0
    def step(*given, **named):
        nonlocal seen
        if not name or str(given[0]).endswith(name):
            seen += 1
            if seen > after:
                os.kill(os.getpid(), signal.SIGKILL)
        return function(*given, **named)
    return step

if where := os.environ.get("KILL"):
    place, after, name = (where.split() + ["", ""])[:3]
    module, _, attribute = place.rpartition(".")
    target = import_module(module)
    setattr(target, attribute, deadly(getattr(target, attribute), int(after), name))
sys.exit(main())
"""

KILLS = (
    "undersigned.assessment.run.require_admitted 0",  # the plan is written, nothing else
    "undersigned.episodes.abreast.Run 700",  # inside the instrument's check
    "undersigned.evidence.store.write_file 0",  # the statement is kept, not yet in the log
    "undersigned.assessment.registry.write_file 0 prereg.tlog-proof",  # in the log, no receipt yet
    "undersigned.episodes.execute.run_group 0",  # between registration and first episode
    "undersigned.episodes.execute.write_shard 1",  # at the boundary of two shards
    "undersigned.assessment.dossier.write_file 0 eval-result.json",  # after the last shard
    "undersigned.evidence.bundle.write_file 5",  # half a dossier
    "undersigned.views.report.render_report 0",  # a dossier without its report
    "shutil.rmtree 1",  # the dossier is there, the run is not yet removed
)
"""Where the run is killed, one after the other: function, calls that pass, end of the first
argument that counts."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a card, and a home whose admissions are kept from before."""
    if (reference().home / "cache").exists():  # not when the shipped admission covers the suite
        shutil.copytree(reference().home / "cache", tmp_path / "home" / "cache")
    monkeypatch.setenv("UNDERSIGNED_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "card.yaml").write_text(CARD_TEXT)
    return tmp_path


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "test", "card.yaml", "--budget", BUDGET, *arguments],
        text=True, capture_output=True, timeout=600, **options,
    )  # fmt: skip


def content(dossier: Path) -> dict[str, bytes]:
    """Return all files but the two in which the present time is claimed."""
    found = {str(p.relative_to(dossier)): p.read_bytes() for p in dossier.rglob("*") if p.is_file()}
    assert found.pop("dossier.json")
    assert found.pop("dossier.sig")
    assert found.pop("report.html")
    return found


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run with and without --json; return exit code and error, after comparing the two."""
    code = main([*arguments])
    told = capsys.readouterr()
    assert main([*arguments, "--json"]) == code
    document = json.loads(capsys.readouterr().out)
    (error,) = document["errors"]
    assert (document["ok"], document["data"]) == (False, None)
    assert told.out == ""
    assert f"{error['code']}: {error['what']}" in told.err
    assert f"  try: {error['remedy']}" in told.err
    assert "Traceback" not in told.err
    assert "{" not in error["remedy"]
    assert code in EXIT_CODES
    return code, error


def test_test__killed_everywhere_and_resumed__gives_the_bytes_of_an_unkilled_run(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_tester(place / "home", "self", ())
    shutil.copytree(place / "home", place / "second-home")
    plain = run("--out", "plain")
    assert plain.returncode == 1, plain.stderr
    env = {**os.environ, "UNDERSIGNED_HOME": str(place / "second-home")}
    more: tuple[str, ...] = ()
    for kill in KILLS:
        assert not (place / "killed" / "dossier").exists()
        killed = run("--out", "killed", *more, env={**env, "KILL": kill})
        assert killed.returncode == -signal.SIGKILL, f"{kill}: {killed.stderr}"
        more = ("--resume",)
    assert content(place / "killed" / "dossier") == content(place / "plain" / "dossier")
    page = (place / "killed" / "dossier" / "report.html").read_bytes()
    assert len(page) == len((place / "plain" / "dossier" / "report.html").read_bytes())
    assert main(["verify", "killed/dossier", "--trust", "killed/trust.json", "--quiet"]) == 0
    shown = capsys.readouterr().out
    assert "1 registered, 1 completed, 0 abandoned, 0 open" in shown


def test_test__governed_run_killed_in_its_probe__probes_the_policy_again(place: Path) -> None:
    (place / "card.yaml").write_text(CARD_TEXT + "controls: {policy: family}\n")
    open_tester(place / "home", "self", ())
    shutil.copytree(place / "home", place / "second-home")
    few = ("--hazard", "payee-swap", "--budget", "160")
    plain = run("--out", "plain", *few)
    assert plain.returncode in (0, 1), plain.stderr
    env = {**os.environ, "UNDERSIGNED_HOME": str(place / "second-home")}
    env["KILL"] = "undersigned.assessment.probing.run_groups 10"
    killed = run("--out", "killed", *few, env=env)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    del env["KILL"]
    assert run("--out", "killed", "--resume", *few, env=env).returncode == plain.returncode
    first, again = (content(place / name / "dossier") for name in ("plain", "killed"))
    assert b'"strategy":"late-change"' in again["comparison.json"]
    assert again == first


def test_test__disk_full__says_so_and_is_resumed(place: Path) -> None:
    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))

    full = run("--out", "out", preexec_fn=fill)
    assert full.returncode == 70
    assert "E-COR-004" in full.stderr
    assert "then run the same command with --resume" in full.stderr
    assert "Traceback" not in full.stderr
    assert not (place / "out" / "dossier").exists()
    assert not list(place.rglob("*.part"))
    assert run("--out", "out", "--resume").returncode == 1
    assert main(["verify", "out/dossier", "--trust", "out/trust.json", "--quiet"]) == 0


def test_test__interrupted__is_130_and_can_be_resumed(place: Path) -> None:
    interrupt = PROGRAM.replace("signal.SIGKILL", "signal.SIGINT")
    env = {**os.environ, "KILL": "undersigned.episodes.execute.run_group 1"}
    arguments = [sys.executable, "-c", interrupt, "test", "card.yaml", "--budget", BUDGET]
    stopped = subprocess.run([*arguments, "--out", "o"], text=True, capture_output=True, env=env)
    assert stopped.returncode == 130
    assert "E-EPI-006" in stopped.stderr
    assert "--resume" in stopped.stderr.splitlines()[-1]
    assert (place / "o" / "run" / "prereg.tlog-proof").exists()


HOSTILE = r"\e[31m\e]0;owned\a\u202E\u2066<script>alert(1)</script>\n\r\0"


def test_test__hostile_card__is_harmless_in_text_json_and_report(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CARD_TEXT
    for field in ("payments clerk", '"2026.11"', "Tan Mei Ling", "Head of Payment Operations"):
        assert text.count(field) == 1
        text = text.replace(field, f'"{HOSTILE}{field.strip(chr(34))}"')
    (place / "card.yaml").write_text(text + f'description: "{HOSTILE}"\n')
    assert main(["test", "card.yaml", "--budget", "210"]) == 1
    shown = capsys.readouterr()
    for stream in (shown.out, shown.err):
        assert not {c for c in stream if c != "\n" and (ord(c) < 32 or c in "\x7f\u202e\u2066")}
    (dossier,) = place.glob("*/dossier")
    page = (dossier / "report.html").read_text()
    assert "<script>alert" not in page
    assert not {"\u202e", "\u2066", "\x1b"} & set(page)
    arguments = ["verify", str(dossier), "--trust", str(dossier.parent / "trust.json")]
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_test__json__is_one_document_with_the_exit_code_of_the_text(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["test", "card.yaml", "--budget", "210", "--out", "o", "--json"]) == 1
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert (document["ok"], document["errors"], shown.err) == (False, [], "")
    data = document["data"]
    assert data["turns"] == "recomputed"
    totals = data["totals"]
    parts = ("safe", "unsafe", "invalid", "missing")
    assert totals["planned"] == 210 == sum(totals[part] for part in parts)


def test_test__one_hazard__can_be_selected(place: Path) -> None:
    assert main(
        ["test", "card.yaml", "--hazard", "payee-swap", "--budget", "160", "--out", "o"]
    ) in (0, 1)
    assert main(["verify", "o/dossier", "--trust", "o/trust.json"]) == 0


def test_test__two_parties_and_a_name_with_a_slash__each_have_a_log(place: Path) -> None:
    home = place / "home"
    for party in ("self", "acme", "acme/lab"):
        first, again = (open_tester(home, party, ()) for _ in range(2))
        assert first.log == again.log
        assert first.key.public == again.key.public
        assert label_of(place / "none", again) == "log-0"


def edited(old: str, new: str) -> str:
    assert old in CARD_TEXT
    return CARD_TEXT.replace(old, new)


@pytest.mark.parametrize(
    ("card", "more", "exit_code", "code"),
    [
        (edited("[th]", "[th, xx]"), (), 2, "E-LNG-001"),
        (CARD_TEXT + "suite: paymnts\n", (), 2, "E-WLD-002"),
        (CARD_TEXT + "tools: [pay]\n", (), 2, "E-ASM-002"),
        (CARD_TEXT + "claim: {metric: goodness}\n", (), 2, "E-ASM-010"),
        (CARD_TEXT + "colour: red\n", (), 2, "E-ASM-001"),
        (CARD_TEXT + 'claim: {limit: "1.5"}\n', (), 2, "E-SCO-003"),
        (CARD_TEXT + 'claim: {limit: "NaN"}\n', (), 2, "E-SCO-003"),
        (CARD_TEXT + 'claim: {limit: "-0.05"}\n', (), 2, "E-SCO-003"),
        (CARD_TEXT + 'claim: {limit: "5e-2"}\n', (), 2, "E-SCO-003"),
        (CARD_TEXT + 'claim: {limit: ""}\n', (), 2, "E-SCO-003"),
        (CARD_TEXT + 'claim: {alternative: "0.2"}\n', (), 2, "E-SCO-003"),
        (CARD_TEXT + 'claim: {power: "1"}\n', (), 2, "E-SCO-003"),
        (CARD_TEXT + 'claim: {alpha: "0"}\n', (), 2, "E-SCO-003"),
        (edited('"follower-locale:th"', "folower"), (), 2, "E-AGT-001"),
        (edited('reference: "follower-locale:th"', "tape: none.tape"), (), 70, "E-COR-005"),
        (CARD_TEXT, ("--suite", "../payments"), 2, "E-WLD-002"),
        (CARD_TEXT, ("--locale", "xx"), 2, "E-LNG-001"),
        (CARD_TEXT, ("--hazard", "payee-swop"), 2, "E-WLD-004"),
        (CARD_TEXT, ("--hazard", "payee-swap-foreign"), 5, "E-WLD-006"),
        (CARD_TEXT, ("--budget", "many"), 2, "E-SCO-004"),
        (CARD_TEXT, ("--budget", "-1"), 2, "E-SCO-004"),
        (CARD_TEXT, ("--budget", "0"), 2, "E-SCO-004"),
        (CARD_TEXT, ("--budget", "9" * 30), 2, "E-SCO-004"),
        (CARD_TEXT, ("--budget", "1"), 4, "E-SCO-005"),
        (CARD_TEXT, ("--party", "Not Plain"), 2, "E-EVD-007"),
        (CARD_TEXT, ("--party", ""), 2, "E-EVD-007"),
        (CARD_TEXT, ("--resume",), 2, "E-EPI-003"),
        (CARD_TEXT, ("--sute", "payments"), 2, "E-CLI-001"),
    ],
)
def test_test__bad_input__is_refused_with_code_remedy_and_exit_code(
    card: str, more: tuple[str, ...], exit_code: int, code: str, place: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (place / "card.yaml").write_text(card)
    found, error = refusal(capsys, "test", "card.yaml", "--out", "out", *more)
    assert (found, error["code"]) == (exit_code, code)
    assert not (place / "out" / "run").exists()


def test_test__budget_too_small__names_one_that_is_enough(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, error = refusal(capsys, "test", "card.yaml", "--budget", "100")
    needed = error["fields"]["needed"]
    assert f"--budget {needed}" in error["remedy"]
    order = Order(load_card(place / "card.yaml"), needed)
    assert prepare(order, place).plan.count() == int(needed)


def test_test__finished_dossier_or_other_plan_there__is_left_alone(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "done" / "dossier").mkdir(parents=True)
    assert refusal(capsys, "test", "card.yaml", "--out", "done")[1]["code"] == "E-EVD-054"
    order = Order(load_card(place / "card.yaml"), "300", label="log-0")
    open_run(place / "o" / "run", prepare(order, place).plan, resume=False)
    kept = (place / "o" / "run" / "plan.json").read_bytes()
    for more in ((), ("--resume",)):
        assert refusal(capsys, "test", "card.yaml", "--out", "o", *more)[1]["code"] == "E-EPI-002"
    same = refusal(capsys, "test", "card.yaml", "--out", "o", "--budget", "300")
    assert (same[0], same[1]["code"]) == (2, "E-EPI-005")
    assert (place / "o" / "run" / "plan.json").read_bytes() == kept


def test_test__very_long_name__gets_a_folder(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "card.yaml").write_text(edited("payments clerk", "clerk " * 100))
    assert refusal(capsys, "test", "card.yaml", "--budget", "1")[1]["code"] == "E-SCO-005"


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[object]]]:
    """A listener on this machine that counts who connects."""
    callers: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                callers.append(caller)
                caller.close()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1", callers
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def chat_card(url: str, key: str = "UNDERSIGNED_KEY_CLERK") -> str:
    chat = (
        f"{{base_url: '{url}', model: m-1, key_env: {key}, tokens_in_price: '0.50', "
        "tokens_out_price: '1.50', currency: USD}"
    )
    return edited('reference: "follower-locale:th"', f"chat: {chat}")


@pytest.mark.parametrize(
    ("key", "value", "more", "exit_code", "code"),
    [
        ("UNDERSIGNED_KEY_CLERK", None, (), 6, "E-AGT-003"),
        ("UNDERSIGNED_KEY_CLERK", " ", ("--yes",), 6, "E-AGT-003"),
        ("UNDERSIGNED_KEY_CLERK", "k\r\nX-Evil: 1", ("--yes",), 6, "E-AGT-009"),
        ("UNDERSIGNED_KEY_CLERK", "secret-k", (), 2, "E-ASM-008"),
        ("OTHER_SECRET", "secret-k", ("--yes",), 6, "E-AGT-004"),
        ("OTHER_SECRET", "secret-k", ("--yes", "--key-env", "OTHER"), 6, "E-AGT-004"),
    ],
)
def test_test__endpoint__is_told_before_it_costs_and_nothing_is_sent(
    key: str, value: str | None, more: tuple[str, ...], exit_code: int, code: str, place: Path,
    endpoint: tuple[str, list[object]], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    url, callers = endpoint
    (place / "card.yaml").write_text(chat_card(url, key))
    if value is not None:
        monkeypatch.setenv(key, value)
    assert (
        main(["test", "card.yaml", "--out", "o", "--budget", "200", "--quiet", *more]) == exit_code
    )
    told = capsys.readouterr().err
    host = url.split("/")[2]
    shown = told.index(f"endpoint {host}, model m-1, key variable {key}")
    price = told.index("calls    about 1800 (200 episodes), about 3.393000 USD")
    assert shown < price < told.index(f"{code}: ")
    assert "secret-k" not in told
    assert (
        refusal(capsys, "test", "card.yaml", "--out", "o", "--budget", "200", *more)[1]["code"]
        == code
    )
    assert callers == []
    assert not (place / "o" / "run").exists()
