"""Try to change a dossier without its tester's key, and see what a stranger's check answers.

    python examples/attacks.py DOSSIER --trust TRUST

Each attack is made on a copy in a temporary folder; the dossier itself is only read. The answer
comes from ``evidence/verify.py`` in a process of its own, without this package: status, the first
telling code, and the file that it names. What the stand-alone file cannot know (whether the report
shows what the evidence says) is asked of ``undersigned verify``.

Exit codes: 0 every attack is refused, 1 one is not, 2 the dossier does not hold in the first place.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from undersigned.core.canonical import encode
from undersigned.evidence import verify
from undersigned.evidence.bundle import Bundle
from undersigned.evidence.keys import FileKey
from undersigned.evidence.notes import Checkpoint, encode64, parse_checkpoint, sign_note

SHARDS = "episodes/*.jsonl.zst"


class Attack(NamedTuple):
    """words: what is done, for people. act: does it to a copy; False when there is nothing to do
    it to. codes: of which one must be among the failures. is_whole: the whole program is asked,
    not the stand-alone file."""

    words: str
    act: Callable[[Path], bool | None]
    codes: tuple[int, ...]
    is_whole: bool = False


class Answer(NamedTuple):
    """What a check said. code: exit code."""

    code: int
    findings: list[dict[str, str]]


def own_key(name: str) -> FileKey:
    """Return a key that the attacker made, under any name."""
    return FileKey.from_seed(sha256(b"attacker").digest(), name=name, role="tester")


def flip(path: Path) -> None:
    """Flip the lowest bit of the middle byte of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def list_again(copy: Path) -> None:
    """Write sizes and digests of the files as they are now into the manifest, unsigned."""
    path = copy / "dossier.json"
    manifest = json.loads(path.read_bytes())
    manifest["files"] = {
        str(each.relative_to(copy)): {
            "size": each.stat().st_size,
            "digest": verify.digest(each.read_bytes()),
        }
        for each in sorted(copy.rglob("*"))
        if each.is_file() and each.relative_to(copy).as_posix() not in verify.UNLISTED
    }
    path.write_bytes(encode(manifest))


def sign_with_own_key(copy: Path, name: str) -> None:
    """Sign the manifest with the attacker's key under a name."""
    manifest = (copy / "dossier.json").read_bytes()
    signature = own_key(name).sign(verify.pae(verify.MANIFEST_TYPE, manifest))
    told = {"keyid": name, "sig": encode64(signature)}
    (copy / "dossier.sig").write_bytes(encode(told))


def better_scores(copy: Path) -> None:
    """Raise the first digit that occurs in the scores, which keeps them valid JSON."""
    path = copy / "scores.json"
    data = path.read_bytes()
    at = next((i for i, byte in enumerate(data) if byte in b"12345678"), None)
    changed = data[:-1] + b',"a":9}' if at is None else data[:at] + b"9" + data[at + 1 :]
    path.write_bytes(changed)


def flip_episode(copy: Path) -> None:
    """Flip one byte of one shard of episodes."""
    flip(sorted(copy.glob(SHARDS))[0])


def flip_leaf(copy: Path) -> None:
    """Flip one byte of the leaf hashes and list the file anew."""
    flip(sorted(copy.glob("episodes/*.leaves"))[0])
    list_again(copy)


def drop_shard(copy: Path) -> None:
    """Delete the last shard with its leaves, as if those episodes had never been run."""
    last = sorted(copy.glob(SHARDS))[-1]
    last.unlink()
    last.with_name(last.name.replace(".jsonl.zst", ".leaves")).unlink()


def add_file(copy: Path) -> None:
    """Add a file that the tester never listed."""
    (copy / "measurements" / "more.jsonl").parent.mkdir(exist_ok=True)
    (copy / "measurements" / "more.jsonl").write_bytes(b"{}\n")


def swap_shards(copy: Path) -> bool:
    """Swap two shards, each whole and genuine."""
    shards = sorted(copy.glob(SHARDS))
    if len(shards) < 2:
        return False
    one, two = shards[0].read_bytes(), shards[1].read_bytes()
    shards[0].write_bytes(two)
    shards[1].write_bytes(one)
    return True


def edit_score(copy: Path) -> None:
    """Improve a score and list the new file; the tester's signature stays as it is."""
    better_scores(copy)
    list_again(copy)


def edit_and_sign(copy: Path) -> None:
    """Improve a score, list it, and sign as the tester with a key of one's own."""
    edit_score(copy)
    sign_with_own_key(copy, json.loads((copy / "dossier.sig").read_bytes())["keyid"])


def edit_and_sign_as_oneself(copy: Path) -> None:
    """Improve a score, list it, and sign under one's own name."""
    edit_score(copy)
    sign_with_own_key(copy, "another-tester")


def edit_plan(copy: Path) -> None:
    """Lower the bar after the fact: change the plan and list it anew."""
    (copy / "plan.json").write_bytes((copy / "plan.json").read_bytes()[:-1] + b',"z":1}')
    list_again(copy)


def cut_log(copy: Path) -> None:
    """Take the last entry out of the log's export and list the files anew."""
    bundle = sorted((copy / "log" / "tile" / "entries").rglob("*"))[-1]
    data, at, starts = bundle.read_bytes(), 0, [0]
    while at < len(data):
        at += 2 + int.from_bytes(data[at : at + 2], "big")
        starts.append(at)
    bundle.write_bytes(data[: starts[-2]])
    list_again(copy)


def forge_checkpoint(copy: Path) -> None:
    """Sign the log's checkpoint with a key of one's own under the log's name."""
    path = copy / "log" / "checkpoint"
    stated = parse_checkpoint(path.read_text("utf-8").partition("\n\n")[0] + "\n")
    text = Checkpoint(stated.origin, stated.size, bytes(32)).text()
    path.write_text(sign_note(text, own_key(stated.origin)), "utf-8")
    list_again(copy)


def replay_receipt(copy: Path) -> None:
    """Show the receipt of another log entry for the plan."""
    shutil.copy(copy / "proofs/eval-result.tlog-proof", copy / "proofs/prereg.tlog-proof")
    list_again(copy)


def rename(copy: Path) -> None:
    """Give the system card another name."""
    (copy / "system/card.json").rename(copy / "system/card-2.json")


def link(copy: Path) -> None:
    """Replace the scores by a link to a file outside."""
    (copy / "scores.json").unlink()
    (copy / "scores.json").symlink_to("/etc/hostname")


def respell(copy: Path) -> None:
    """Add one space to the manifest, which changes nothing that it says."""
    path = copy / "dossier.json"
    path.write_bytes(path.read_bytes().replace(b":", b": ", 1))


def edit_report(copy: Path) -> bool:
    """Write another sentence into the report."""
    path = copy / "report.html"
    if not path.is_file():
        return False
    path.write_bytes(path.read_bytes() + b"<p>All good.</p>")
    return True


ATTACKS = (
    Attack("flip one bit of one episode", flip_episode, (106,)),
    Attack("flip one bit of a leaf hash and list the file anew", flip_leaf, (109, 127)),
    Attack("delete the last shard of episodes", drop_shard, (104,)),
    Attack("add a file", add_file, (105,)),
    Attack("swap two shards of episodes", swap_shards, (106,)),
    Attack("improve a score and list it anew, without a key", edit_score, (109, 126)),
    Attack("the same, signed with another key under the tester's name", edit_and_sign, (109,)),
    Attack("the same, signed under another name", edit_and_sign_as_oneself, (112,)),
    Attack("change the registered plan after the run", edit_plan, (109, 126)),
    Attack("cut the last entry off the log", cut_log, (109, 107)),
    Attack("sign another checkpoint under the log's name", forge_checkpoint, (109, 120)),
    Attack("show another entry's receipt for the plan", replay_receipt, (109, 123)),
    Attack("rename the system card", rename, (104,)),
    Attack("put a link to another file in place of the scores", link, (102,)),
    Attack("add a space to the manifest", respell, (107,)),
    Attack("write another sentence into the report", edit_report, (), is_whole=True),
)


def ask(dossier: Path, trust: Path, *, is_whole: bool = False) -> Answer:
    """Verify in a process of its own: the stand-alone file, or the whole program."""
    alone = [sys.executable, "-I", verify.__file__, str(dossier)]
    whole = [sys.executable, "-m", "undersigned", "verify", str(dossier)]
    command = [*(whole if is_whole else alone), "--trust", str(trust), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told: dict[str, Any] = json.loads(done.stdout)
    data = (told.get("data") or {}) if is_whole else told
    return Answer(done.returncode, data.get("findings", []))


def telling(attack: Attack, answer: Answer) -> dict[str, str] | None:
    """Return the failure that tells the attack, None when it is not refused as it must be."""
    failures = [item for item in answer.findings if item["status"] == "fails"]
    if answer.code != 3 or not failures:
        return None
    wanted = [f"E-EVD-{number}" for number in attack.codes]
    if not wanted:
        return failures[0]
    seen = {item["code"]: item for item in reversed(failures)}
    # The last code is of the layer that the attack is about; those before it are of outer ones.
    return seen.get(wanted[-1]) if set(wanted) <= seen.keys() else None


def copy_of(dossier: Path, folder: Path) -> Path:
    """Copy a dossier folder, or the files of a zip, and return the copy."""
    if dossier.is_dir():
        return Path(shutil.copytree(dossier, folder))
    with Bundle(dossier) as bundle:
        for name in bundle.names():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(bundle.read(name))
    return folder


def attempt(attack: Attack, dossier: Path, trust: Path) -> tuple[str, str]:
    """Make one attack on a copy; return what came of it in a word, and what the check told."""
    if attack.is_whole and (before := ask(dossier, trust, is_whole=True)).code != 0:
        return "not tried", f"the whole program does not say that it holds (exit {before.code})"
    with tempfile.TemporaryDirectory(prefix="attacks-") as scratch:
        copy = copy_of(dossier, Path(scratch) / "dossier")
        if attack.act(copy) is False:
            return "not tried", "there is nothing to do it to"
        answer = ask(copy, trust, is_whole=attack.is_whole)
    found = telling(attack, answer)
    if found is None:
        codes = sorted({item["code"] for item in answer.findings if item["status"] == "fails"})
        return "NOT REFUSED", f"exit code {answer.code}, {', '.join(codes) or 'no failure'}"
    where = f" in {found['file']}" if found["file"] else ""
    return "refused", f"{found['code']} {found['what']}{where}"


def run(dossier: Path, trust: Path, say: Callable[[str], object] = print) -> int:
    """Make every attack, say one line about each, and return the exit code."""
    answer = ask(dossier, trust)
    if answer.code != 0:
        say(f"The dossier does not hold as it is (exit code {answer.code}); nothing was tried.")
        return 2
    say("untouched: holds")
    tally = {"refused": 0, "NOT REFUSED": 0, "not tried": 0}
    for number, attack in enumerate(ATTACKS, 1):
        word, told = attempt(attack, dossier, trust)
        tally[word] += 1
        say(f"{number:2}  {word:12} {attack.words}\n                 {told}")
    say(", ".join(f"{count} {word}" for word, count in tally.items()))
    return 1 if tally["NOT REFUSED"] else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dossier", type=Path, help="folder or zip")
    parser.add_argument("--trust", type=Path, required=True, help="whom you believe, as JSON")
    options = parser.parse_args(arguments)
    return run(options.dossier, options.trust)


if __name__ == "__main__":
    sys.exit(main())
