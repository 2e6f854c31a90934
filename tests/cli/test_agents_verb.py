"""Does ``undersigned agents`` list who calibrates the instrument, and serve one on this machine?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from undersigned.agents.roster import roster
from undersigned.cli.main import main
from undersigned.evidence.keys import create_key

SERVE = [sys.executable, "-m", "undersigned", "agents", "serve"]


def test_list__names_every_reference_agent_with_its_declaration(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["agents", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["data"]
    assert [row["name"] for row in rows] == list(roster())
    assert all("declaration" in row for row in rows)
    assert main(["agents", "list"]) == 0
    text = capsys.readouterr().out
    assert all(name in text and agent.summary in text for name, agent in roster().items())
    assert "follower-locale:TAG" in text


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (["folower"], 2, "E-AGT-001"),
        (["flaky:200"], 2, "E-AGT-001"),
        (["follower", "--port", "70000"], 2, "E-CLI-001"),
        (["follower", "--token-env", "UNDERSIGNED_TOKEN_NOT_SET"], 6, "E-AGT-003"),
    ],
)
def test_serve__wrong__is_refused_in_words(
    arguments: list[str], exit_code: int, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["agents", "serve", *arguments]) == exit_code
    assert capsys.readouterr().err.startswith(code)


def test_serve__relay_key_that_is_none__is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tester = create_key(tmp_path, "tester", "t-1")
    exposed = create_key(tmp_path, "provider", "p-1", party="gateway")
    exposed.chmod(0o644)
    no_key = tmp_path / "no.pem"
    no_key.write_text("no key")
    no_key.chmod(0o600)
    for path, exit_code, code in (
        (tester, 2, "E-AGT-011"), (exposed, 6, "E-EVD-010"), (no_key, 6, "E-EVD-011"),
        (tmp_path / "missing", 6, "E-EVD-011"), (tmp_path, 2, "E-CLI-001"),
    ):  # fmt: skip
        assert main(["agents", "serve", "follower", "--relay-key", str(path)]) == exit_code
        assert capsys.readouterr().err.startswith(code)


def test_serve__with_a_relay_key__says_who_signs(tmp_path: Path) -> None:
    path = create_key(tmp_path, "provider", "gateway-1", party="gateway")
    serve = [*SERVE, "follower", "--relay-key", str(path)]
    server = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        shown = [server.stdout.readline() for _ in range(4)]
        assert shown[3] == "signs    gateway-1, of gateway\n"
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=600)
    assert server.returncode == 0


@pytest.mark.parametrize("named", [True, False])
def test_serve__until_interrupted__answers_here_and_keeps_the_given_token_to_itself(
    named: bool,
) -> None:
    token = "t" * 40
    more = ["--token-env", "UNDERSIGNED_TOKEN"] if named else []
    server = subprocess.Popen(
        [*SERVE, "follower", *more, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "UNDERSIGNED_TOKEN": token},
    )  # fmt: skip
    try:
        assert server.stdout is not None
        shown = json.loads(server.stdout.readline())["data"]
        assert ("token" in shown) is not named
        assert shown["url"].startswith("http://127.0.0.1:")
        request = urllib.request.Request(f"{shown['url']}/chat/completions", b"{}")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=600)
        assert 400 <= caught.value.code < 500
        caught.value.close()
    finally:
        server.send_signal(signal.SIGINT)
        out, told = server.communicate(timeout=600)
    assert server.returncode == 0
    assert "Traceback" not in told
    assert token not in out + told
