"""The data of scoring can be named without paying for the libraries that compute it."""

from __future__ import annotations

import subprocess
import sys

import pytest

LIGHT = ("outcomes", "results", "scores", "claims", "figures", "problems", "sizes")


@pytest.mark.parametrize(
    "module", ["undersigned.cli", *(f"undersigned.scoring.{m}" for m in LIGHT)]
)
def test_import__modules_of_plain_data__load_neither_numpy_nor_scipy(module: str) -> None:
    program = f"import sys, {module}; print(sorted({{'numpy', 'scipy'}} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
