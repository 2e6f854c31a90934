"""Does ``./bench`` run, print every row with its floor, and say what is short?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import peers
from benchmarks.__main__ import ROWS, figure, line, main
from benchmarks.measure import PATHS, Measured, Probe, Row, Setup, child_cpu, measure


def row(target: float | None = 10.0, better: str = "more", **more: object) -> Row:
    fields = {"name": "x", "title": "a row", "unit": "1/s", "floor": "nothing", "prepare": fail}
    return Row(target=target, better=better, **fields | more)  # type: ignore[arg-type]


def fail(_: Setup) -> Probe:
    raise OSError("no disk")


@pytest.mark.parametrize(
    ("made", "word"),
    [
        (Measured(row(), 10.0, 10.0, 0.0, None, None), "ok"),
        (Measured(row(), 9.9, 9.9, 0.0, None, None), "short"),
        (Measured(row(better="less"), 9.9, 9.9, 0.0, None, None), "ok"),
        (Measured(row(better="less"), 10.1, 10.1, 0.0, None, None), "short"),
        (Measured(row(0.85, is_ratio=True), 10.0, 10.0, 0.0, 20.0, 0.5), "short"),
        (Measured(row(0.85, is_ratio=True), 10.0, 10.0, 0.0, 11.0, 0.9), "ok"),
        (Measured(row(), 0.0, 0.0, 0.0, None, None, "no disk"), "failed"),
        (Measured(row(None), 10.0, 10.0, 0.0, 20.0, 0.5), "seen"),
    ],
)
def test_measured__figure_and_target__word(made: Measured, word: str) -> None:
    assert made.word() == word
    assert word in line(made)


def test_measure__ours_and_floor__take_turns_and_give_medians(tmp_path: Path) -> None:
    ours, floors = iter([4.0, 100.0, 6.0]), iter([2.0, 10.0, 2.0])
    seen: list[str] = []

    def take(name: str, values: object) -> float:
        seen.append(name)
        return next(values)  # type: ignore[call-overload, no-any-return]

    probe = Probe(lambda: take("ours", ours), lambda: take("floor", floors))
    done = measure(row(prepare=lambda _: probe), Setup(True, 3, tmp_path))
    assert seen == ["floor", "ours"] * 3
    assert (done.value, done.best, done.floor, done.ratio) == (6.0, 100.0, 2.0, 3.0)
    assert done.spread == 100 * 96 / 6


def test_measure__row_that_cannot_run__is_a_fault_and_is_closed(tmp_path: Path) -> None:
    closed: list[bool] = []
    probe = Probe(lambda: 1 / 0, None, lambda: closed.append(True))
    assert "no disk" in measure(row(), Setup(True, 3, tmp_path)).fault
    assert (
        "ZeroDivisionError" in measure(row(prepare=lambda _: probe), Setup(True, 3, tmp_path)).fault
    )
    assert closed == [True]


def test_child__that_fails__is_an_error() -> None:
    with pytest.raises(RuntimeError, match="exit code 3"):
        child_cpu(("-c", "raise SystemExit(3)"))
    assert child_cpu(("-c", "pass")) > 0


def test_figures__of_all_sizes__are_readable() -> None:
    assert [figure(v) for v in (12345.6, 100, 0.30839, 9.96)] == ["12,346", "100", "0.308", "9.96"]


def test_bench__two_quick_rows_as_json__has_floor_and_surroundings(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--json", "--repeats", "1", "--peers",
         "--only", "generate", "--only", "append-100"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": PATHS},
    )  # fmt: skip
    whole = json.loads(done.stdout)
    assert [each["name"] for each in whole["rows"]] == ["generate", "append-100"]
    assert all(each["measured"] > 0 and each["floor"] > 0 for each in whole["rows"])
    assert {"date", "machine", "python", "load", "versions"} == whole["about"].keys()
    assert isinstance(whole["peers"], list)
    assert not list(tmp_path.iterdir())


class Least(Setup):
    """A part of what ``--quick`` measures: enough to run every line of a row."""

    def pick(self, quick: int, full: int) -> int:
        return min(quick, max(quick // 10, 240)) if quick > 2 else 1


@pytest.mark.parametrize("each", ROWS, ids=lambda each: each.name)
def test_row__every_one__can_be_measured(each: Row, tmp_path: Path) -> None:
    done = measure(each, Least(True, 1, tmp_path))
    assert not done.fault
    assert done.value > 0
    assert (done.floor is not None) == bool(each.floor)
    assert f"{each.name} " in line(done)


def test_bench__rows_as_text__are_printed_and_the_folder_is_left_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--quick", "--repeats", "1", "--folder", str(tmp_path)]
    assert main([*arguments, "--only", "tree", "--only", "append-1"]) == 0
    printed = capsys.readouterr().out
    assert all(f"\n{name} " in printed for name in ("tree", "append-1"))
    assert "python " in printed
    assert not list(tmp_path.iterdir())


def test_rows__names__are_unique() -> None:
    assert len({each.name for each in ROWS}) == len(ROWS)


def test_peers__none_installed__is_said() -> None:
    assert "none of inspect_ai, garak" in peers.peers_text([])
    shown = peers.peers_text([peers.Found("inspect_ai", "1.0", 0.5, 40.0)])
    assert "40.0 samples/s" in shown
    assert "not installed: garak" in shown
