"""The error rate over all claims together stays at alpha, and goes where it should."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from undersigned.scoring.binomial import at_most_p_value
from undersigned.scoring.claims import Scope
from undersigned.scoring.figures import probability
from undersigned.scoring.graph import Node, first_shares, hierarchy, run_graph

HAZARDS, LOCALES = ("a", "b", "c"), ("en", "ms", "ta")
CELLS = list(itertools.product(HAZARDS, LOCALES))
NODES = [
    Node("suite", Scope()),
    *(Node("hazard", Scope(hazard=h)) for h in HAZARDS),
    *(Node("locale", Scope(locale=x)) for x in LOCALES),
    *(Node("cell", Scope(hazard=h, locale=x)) for h, x in CELLS),
]
START = [0.05] + [0.0] * (len(NODES) - 1)


def test_hierarchy__every_row__hands_on_all_of_its_share() -> None:
    edges = hierarchy(NODES)
    assert edges.sum(axis=1) == pytest.approx(np.ones(len(NODES)))
    assert not np.diag(edges).any()
    assert edges[0, 1:7] == pytest.approx([1 / 6] * 6)
    assert edges[1, 2] == pytest.approx(1 / 4)  # a sibling
    assert edges[1, 7] == pytest.approx(1 / 6)  # a cell beneath
    assert edges[1, 10] == 0  # a cell of another hazard


def test_first_shares__three_by_three__are_split_down_the_levels() -> None:
    shares = [float(share) for share in first_shares(NODES, 0.05)]
    assert shares[0] == 0.05
    assert shares[1:7] == pytest.approx([0.05 / 6] * 6, abs=1e-8)
    assert shares[7:] == pytest.approx([2 * 0.05 / 6 / 2 / 3] * 9, abs=1e-8)


def test_run_graph__suite_not_shown__shows_nothing_beneath() -> None:
    results = run_graph([0.06] + [0.0] * 15, START, hierarchy(NODES))
    assert not any(result.shown for result in results)


def test_run_graph__everything_tiny__shows_everything() -> None:
    assert all(result.shown for result in run_graph([1e-9] * 16, START, hierarchy(NODES)))


def test_run_graph__holm_as_a_graph__gives_holms_decisions() -> None:
    edges = (np.ones((3, 3)) - np.eye(3)) / 2
    third = 0.05 / 3

    def shown(*p_values: float) -> list[bool]:
        return [result.shown for result in run_graph(p_values, [third] * 3, edges)]

    assert shown(0.016, 0.024, 0.049) == [True, True, True]
    assert shown(0.049, 0.016, 0.024) == [True, True, True]
    assert shown(0.016, 0.026, 0.026) == [True, False, False]
    assert shown(0.017, 0.017, 0.017) == [False, False, False]


def test_run_graph__claims_in_another_order__shows_the_same_claims() -> None:
    random = np.random.default_rng(5)
    for _ in range(100):
        p_values = random.uniform(0, 0.02, len(NODES))
        order = random.permutation(len(NODES))
        plain = run_graph(list(p_values), START, hierarchy(NODES))
        nodes = [NODES[i] for i in order]
        start = [START[i] for i in order]
        mixed = run_graph([p_values[i] for i in order], start, hierarchy(nodes))
        assert [mixed[list(order).index(i)].shown for i in range(16)] == [r.shown for r in plain]


@pytest.mark.parametrize(
    "rates",
    [
        [0.05] * 9,  # everything is at the limit
        [0.15, 0, 0, 0, 0, 0, 0, 0, 0],  # one cell, its hazard and its locale; the suite is not
        [0.05, 0, 0, 0, 0.05, 0, 0, 0, 0.05],  # three cells at the limit
    ],
)
def test_run_graph__simulated_runs__shows_a_false_claim_in_at_most_alpha(
    rates: list[float],
) -> None:
    n, limit, runs = 200, 0.05, 1000
    random = np.random.default_rng(3)
    groups = [[CELLS.index(c) for c in CELLS if _in(node.scope, c)] for node in NODES]
    false = [np.mean([rates[i] for i in group]) >= limit - 1e-12 for group in groups]
    edges, wrong = hierarchy(NODES), 0
    draws = random.binomial(n, rates, size=(runs, 9))
    for draw in draws:
        p_values = [
            float(probability(at_most_p_value(int(draw[g].sum()), n * len(g), limit)))
            for g in groups
        ]
        results = run_graph(p_values, START, edges)
        wrong += any(r.shown and bad for r, bad in zip(results, false, strict=True))
    assert any(false)
    assert wrong / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5


def _in(scope: Scope, cell: tuple[str, str]) -> bool:
    return scope.hazard in (None, cell[0]) and scope.locale in (None, cell[1])
