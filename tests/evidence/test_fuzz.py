"""Does a short attack find nothing, and does the same attack find what is broken on purpose?"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from scripts import fuzz, fuzz_dossiers, fuzz_json
from scripts.fuzz_oracle import Target
from scripts.mutate import MUTATIONS, ZIP_MUTATIONS, Pool, mutate
from undersigned.core import canonical
from undersigned.evidence import notes, verify

INPUTS = 20_000


@pytest.fixture(scope="module")
def every() -> Iterator[tuple[Target, ...]]:
    made = fuzz.targets()
    yield made
    for target in made:
        target.close()


def attack(every: tuple[Target, ...], name: str, inputs: int) -> set[str]:
    """Return the kinds of findings at one target."""
    (tally,) = fuzz.fuzz([t for t in every if t.name == name], inputs, seed=7)
    assert bool(tally.counts["finding"]) == bool(tally.kept())
    return {finding.kind for finding in tally.kept()}


def test_fuzz__short_run_over_every_target__finds_nothing(every: tuple[Target, ...]) -> None:
    tallies = fuzz.fuzz(every, INPUTS, seed=20261122)
    found = [finding for tally in tallies for finding in tally.kept()]
    assert not found, "\n".join(f"{f.target}: {f.kind}: {f.detail} {f.input!r}" for f in found)
    assert sum(tally.total for tally in tallies) >= INPUTS
    assert all(tally.counts["accepted"] and tally.counts["refused"] for tally in tallies)
    assert sum(target.share for target in every) == 1000
    assert fuzz.table(tallies).splitlines()[-1].split()[0] == "all"


def test_fuzz__same_seed__gives_the_same_inputs_and_counts(every: tuple[Target, ...]) -> None:
    chosen = [t for t in every if t.name in ("receipt", "json", "zip")]
    one, two = (fuzz.fuzz(chosen, 400, seed=3) for _ in range(2))
    assert [t.counts for t in one] == [t.counts for t in two]
    assert [t.make(Random(5)) for t in every] == [t.make(Random(5)) for t in every]


def lenient64(text: str, *_: object) -> bytes:
    return verify.base64.b64decode(text + "==")


def lenient_json(data: bytes, *_: object) -> object:
    try:
        return json.loads(data)
    except ValueError:
        raise verify.Refusal(107) from None


def crash(*_: object, **__: object) -> object:
    raise KeyError("unforeseen")


@pytest.mark.parametrize(
    ("target", "module", "name", "broken", "kind"),
    [
        ("note", verify, "is_signed", lambda *_: True, "disagree"),
        ("note", notes, "_is_valid", lambda *_: True, "disagree"),
        ("note", verify, "decode64", lenient64, "disagree"),
        ("note", notes, "_check_text", lambda _: None, "crash"),
        ("checkpoint", verify, "decode64", lenient64, "disagree"),
        ("checkpoint", notes, "decode64", lenient64, "disagree"),
        ("key", notes, "decode64", lenient64, "accepted"),
        ("receipt", verify, "verify_inclusion", lambda *_: True, "accepted"),
        ("receipt", verify, "is_signed", lambda *_: True, "disagree"),
        ("inclusion", verify, "verify_inclusion", lambda *_: True, "accepted"),
        ("consistency", verify, "verify_consistency", lambda *_: True, "accepted"),
        ("statement", verify, "is_signed", lambda *_: True, "disagree"),
        ("payload", fuzz_json.statements, "_check_statement", crash, "crash"),
        ("trust", verify, "decode64", lenient64, "disagree"),
        ("json", verify, "read_json", lenient_json, "disagree"),
        ("json", canonical, "INT_LIMIT", 2**60, "disagree"),
        ("entry", fuzz_json, "decode", crash, "crash"),
        ("episode", fuzz_json.stream, "check_order", crash, "crash"),
        ("shard", fuzz_json, "read_shard", lambda *_: [], "accepted"),
        ("folder", verify, "digest", lambda _: "sha256:" + "0" * 64, "seed"),
        ("folder", verify.Check, "_files", lambda _: None, "accepted"),
        ("relisted", verify.Check, "_episodes", lambda _: None, "accepted"),
        ("relisted", verify.Check, "_stated", lambda _: None, "accepted"),
        ("zip", verify, "verify_dossier", lambda *_: [], "disagree"),
        ("zip", fuzz_dossiers, "read_forward", lambda _: {}, "accepted"),
        ("log", fuzz_dossiers.Log, "entry", lambda *_: b"{}", "accepted"),
    ],
)
def test_fuzz__reader_broken_on_purpose__is_found(
    every: tuple[Target, ...],
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    module: object,
    name: str,
    broken: Callable[..., object],
    kind: str,
) -> None:
    monkeypatch.setattr(module, name, broken)
    # WHY fewer where an input is a whole dossier: each takes as long as a hundred others.
    assert kind in attack(every, target, 100 if target in ("folder", "relisted") else 400)


def test_fuzz__two_broken_readers_that_agree__are_found_all_the_same(
    every: tuple[Target, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Agreement alone proves nothing: what is accepted must also have been signed."""
    monkeypatch.setattr(verify, "is_signed", lambda *_: True)
    monkeypatch.setattr(notes, "_is_valid", lambda *_: True)
    monkeypatch.setattr(fuzz_json.statements, "verify_ed25519", lambda *_: True)
    assert "accepted" in attack(every, "note", 400)
    assert "accepted" in attack(every, "receipt", 400)
    assert "accepted" in attack(every, "statement", 400)


def test_main__finding__is_kept_replayed_and_told_by_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["--inputs", "300", "--only", "inclusion", "--out", str(tmp_path / "out")]
    assert fuzz.main([*run, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []
    assert not (tmp_path / "out").exists()
    with monkeypatch.context() as broken:
        broken.setattr(verify, "verify_inclusion", lambda *_: True)
        assert fuzz.main(run) == 1
        kept = sorted((tmp_path / "out").glob("*.input"))
        assert kept
        assert "inclusion" in capsys.readouterr().out
        replay = ["--only", "inclusion", "--replay", str(kept[0])]
        assert fuzz.main(replay) == 1
    assert fuzz.main(replay) == 0
    assert kept[0].with_suffix(".txt").read_text().startswith("accepted: ")


def test_fuzz__time_that_is_up__stops_the_run(every: tuple[Target, ...]) -> None:
    tallies = fuzz.fuzz(every, 10**9, seed=1, seconds=0.0)
    assert all(tally.total == len(tally.target.pool.seeds) for tally in tallies)


def test_targets__closed__leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []
    real = fuzz_dossiers.scratch

    def scratch() -> Path:
        folders.append(real())
        return folders[-1]

    monkeypatch.setattr(fuzz_dossiers, "scratch", scratch)
    for target in fuzz_dossiers.targets():
        target.close()
    assert folders
    assert not any(folder.exists() for folder in folders)


@pytest.mark.parametrize(
    "mutation", dict.fromkeys((*MUTATIONS, *ZIP_MUTATIONS)), ids=lambda m: m.__name__
)
def test_mutation__any_bytes__gives_bytes_and_mostly_other_ones(
    every: tuple[Target, ...], mutation: Callable[[Random, bytes, Pool], bytes]
) -> None:
    draw, pools = Random(1), [t.pool for t in every if t.name in ("zip", "receipt", "entry")]
    pool = Pool([seed for each in pools for seed in each.seeds], pools[0].words)
    results = [(seed, mutation(draw, seed, pool)) for seed in pool.seeds for _ in range(20)]
    assert all(isinstance(made, bytes) for _, made in results)
    assert sum(made != seed for seed, made in results) > len(results) / 10
    for odd in (b"", b"\n", os.urandom(3)):
        assert isinstance(mutation(draw, odd, pool), bytes)


def test_mutate__long_growth__is_cut() -> None:
    pool = Pool([b"x" * 100], [b"y" * 5000])
    assert max(len(mutate(Random(n), pool, limit=50)) for n in range(200)) == 150
