"""How many of six ways to tamper with a log does the stand-alone verifier catch?

A real dossier whose log holds other entries too. Each attacker holds the tester's key, so the
manifest is listed anew and signed after every change: only the log's own evidence can tell. One
class needs what one dossier cannot hold, and gets it: a second checkpoint, for the split view.

A class counts when the code that is expected is among the findings, and the honest dossier holds
under the same trust file.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.appends import entries
from benchmarks.measure import Probe, Row, Setup
from benchmarks.verifying import make_dossier
from undersigned.assessment.registry import Tester, example_trust, open_tester
from undersigned.core.canonical import encode
from undersigned.evidence.keys import FileKey, Signer
from undersigned.evidence.log import Log
from undersigned.evidence.notes import Checkpoint, encode64, sign_note
from undersigned.evidence.tiles import cut_tiles
from undersigned.evidence.tree import Tree, leaf_hash
from undersigned.evidence.trust import load_trust, write_trust
from undersigned.evidence.verify import MANIFEST_TYPE, digest, exit_code, pae, verify_dossier

EPISODES = 400
OTHERS = 5
"""Entries that the log holds before the dossier's own two."""


class Scene(NamedTuple):
    """An honest dossier, its tester, and a trust file that trusts both of the tester's keys."""

    folder: Path
    dossier: Path
    trust: Path
    tester: Tester

    def logged(self) -> list[bytes]:
        """Return the log's entries."""
        with Log.open(self.tester.log, self.tester.log_key) as log:
            return [log.entry(index) for index in range(log.size)]

    def held(self, note: str) -> Path:
        """Return a trust file of somebody who holds one more checkpoint."""
        path = self.folder / "held.json"
        trust = load_trust(self.trust)
        write_trust(path, msgspec.structs.replace(trust, checkpoints=(note,)))
        return path


class Attack(NamedTuple):
    """A class of tampering. code: of the finding that must tell. act: changes a copy of the
    dossier and returns the trust file that its reader has."""

    name: str
    code: str
    act: Callable[[Scene, Path], Path]


def stage(folder: Path) -> Scene:
    """Make an honest dossier in a log that holds other entries."""
    tester = open_tester(folder / "home", "bench", ())
    with Log.open(tester.log, tester.log_key) as log:
        log.append(entries(OTHERS))
        log.checkpoint()
    dossier = asyncio.run(make_dossier(folder, EPISODES))
    example_trust(tester, folder / "trust.json")
    return Scene(folder, dossier, folder / "trust.json", tester)


def sign_again(dossier: Path, key: Signer) -> None:
    """List every file as it is now and sign the manifest: all that a tester can do."""
    path = dossier / "dossier.json"
    manifest = json.loads(path.read_bytes())
    own = {path, dossier / "dossier.sig", dossier / "report.html"}
    manifest["files"] = {
        str(each.relative_to(dossier)): {
            "size": each.stat().st_size,
            "digest": digest(each.read_bytes()),
        }
        for each in sorted(dossier.rglob("*"))
        if each.is_file() and each not in own
    }
    path.write_bytes(encode(manifest))
    signature = encode64(key.sign(pae(MANIFEST_TYPE, path.read_bytes())))
    (dossier / "dossier.sig").write_bytes(encode({"keyid": key.name, "sig": signature}))


def export(dossier: Path, logged: Sequence[bytes], note: str | None = None) -> Checkpoint:
    """Write a log export of some entries over the dossier's own and return what it would state.

    note: the checkpoint to show; the dossier's own when None.
    """
    tree = Tree()
    tree.extend(leaf_hash(entry) for entry in logged)
    old = (dossier / "log" / "checkpoint").read_text()
    shutil.rmtree(dossier / "log")
    for name, data in cut_tiles(tree, tree.size, logged):
        path = dossier / "log" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (dossier / "log" / "checkpoint").write_text(old if note is None else note)
    return Checkpoint(old.partition("\n")[0], tree.size, tree.root())


def edit(scene: Scene, copy: Path) -> Path:
    """Change the digest in an entry and every hash above it."""
    logged = scene.logged()
    at = logged[1].index(b"sha256:") + 7
    logged[1] = logged[1][:at] + (b"0" if logged[1][at] != 48 else b"1") + logged[1][at + 1 :]
    export(copy, logged)
    return scene.trust


def delete(scene: Scene, copy: Path) -> Path:
    """Take an entry out of the middle."""
    logged = scene.logged()
    export(copy, [*logged[:1], *logged[2:]])
    return scene.trust


def reorder(scene: Scene, copy: Path) -> Path:
    """Swap two entries."""
    logged = scene.logged()
    export(copy, [logged[1], logged[0], *logged[2:]])
    return scene.trust


def truncate(scene: Scene, copy: Path) -> Path:
    """Cut the last entry off under the checkpoint that was genuine before it."""
    logged = scene.logged()[:-1]
    tree = Tree()
    tree.extend(leaf_hash(entry) for entry in logged)
    origin = scene.tester.log_key.name
    genuine = sign_note(Checkpoint(origin, tree.size, tree.root()).text(), scene.tester.log_key)
    export(copy, logged, genuine)
    return scene.trust


def rewrite(scene: Scene, copy: Path) -> Path:
    """Replace an entry, compute every hash anew and sign with a key under the log's name."""
    logged = [*entries(1, start=99), *scene.logged()[1:]]
    stated = export(copy, logged)
    forger = FileKey.from_seed(bytes(32), name=scene.tester.log_key.name, role="log")
    (copy / "log" / "checkpoint").write_text(sign_note(stated.text(), forger))
    return scene.trust


def split_view(scene: Scene, copy: Path) -> Path:
    """Show this reader one history while the log's own key signed another for somebody else."""
    export(copy, scene.logged())
    tree = Tree()
    tree.extend(leaf_hash(entry) for entry in [*entries(1, start=99), *scene.logged()[1:]])
    stated = Checkpoint(scene.tester.log_key.name, tree.size, tree.root())
    return scene.held(sign_note(stated.text(), scene.tester.log_key))


ATTACKS = (
    Attack("edit", "E-EVD-122", edit),
    Attack("delete", "E-EVD-104", delete),
    Attack("reorder", "E-EVD-122", reorder),
    Attack("truncate", "E-EVD-123", truncate),
    Attack("rewrite", "E-EVD-120", rewrite),
    Attack("split view", "E-EVD-128", split_view),
)


def caught(scene: Scene, attack: Attack) -> bool:
    """Perform an attack on a copy and return whether the verifier tells it by its code."""
    with tempfile.TemporaryDirectory(dir=scene.folder) as scratch:
        copy = Path(scratch) / "dossier"
        shutil.copytree(scene.dossier, copy)
        trust = attack.act(scene, copy)
        sign_again(copy, scene.tester.key)
        findings = verify_dossier(copy, trust)
    codes = {item.code for item in findings if item.status == "fails"}
    return exit_code(findings) == 3 and attack.code in codes


def honest_holds(scene: Scene) -> bool:
    """Return whether the honest dossier holds, also with its own checkpoint held."""
    note = (scene.dossier / "log" / "checkpoint").read_text()
    return not any(
        exit_code(verify_dossier(scene.dossier, trust)) for trust in (scene.trust, scene.held(note))
    )


def classes(setup: Setup) -> Probe:
    """Count the classes that are caught."""
    folder = Path(tempfile.mkdtemp(dir=setup.folder))
    scene = stage(folder)
    seen: list[str] = []

    def count() -> float:
        if not honest_holds(scene):
            raise RuntimeError("the honest dossier does not hold")
        seen[:] = [attack.name for attack in ATTACKS if caught(scene, attack)]
        return float(len(seen))

    def note() -> str:
        missed = [attack.name for attack in ATTACKS if attack.name not in seen]
        return f"caught: {', '.join(seen)}" + (f"; missed: {', '.join(missed)}" if missed else "")

    return Probe(count, close=lambda: shutil.rmtree(folder), note=note)


ROWS = (
    Row("tamper", "classes of tampering caught, of six; split view given a second checkpoint",
        "classes", "more", 6, "", classes),
)  # fmt: skip
