"""Is every code explained, and every unknown one answered with the nearest?"""

from __future__ import annotations

import json

import pytest

from scripts.floors import PACKAGE
from undersigned.cli.explain import collect_problems, find_problem, problem_modules
from undersigned.cli.main import main
from undersigned.core.errors import UsageError


def test_collect__all_problems_modules__are_found_without_a_list() -> None:
    paths = {
        ".".join(("undersigned", *path.relative_to(PACKAGE).with_suffix("").parts))
        for path in PACKAGE.rglob("problems.py")
    }
    assert set(problem_modules(PACKAGE, "undersigned")) == paths
    assert {"undersigned.core.problems", "undersigned.cli.problems"} <= paths


def test_explain__known_code_in_any_case__prints_title_why_remedy_and_module(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["explain", "e-cor-002"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("E-COR-002: JSON that is not in canonical form\n  why: ")
    assert "\n  try: undersigned doctor" in out
    assert out.endswith("listed in: undersigned.core.problems\n")


def test_explain__no_code__lists_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert [each["code"] for each in data] == [p.problem.code for p in collect_problems()]
    assert all(each.keys() == {"code", "title", "why", "remedy", "module"} for each in data)


@pytest.mark.parametrize(("code", "nearest"), [("E-COR-02", "E-COR-002"), ("EVERYTHING", "E-")])
def test_explain__unknown_code__suggests_the_nearest(code: str, nearest: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_problem(code, collect_problems())
    assert caught.value.code == "E-CLI-004"
    assert caught.value.fields["nearest"].startswith(nearest)
