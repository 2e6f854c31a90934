"""In which order is the error rate spent, so that all claims together keep to alpha?

The graphical procedure of Bretz, Maurer, Brannath and Posch 2009 (Statistics in Medicine 28,
586-604): each claim holds a share of alpha; a shown claim hands its share along its edges and
leaves the graph, whose edges are joined around it. The family-wise error rate stays at most
alpha whatever the dependence between the p-values.

The hierarchy: all alpha starts on the suite. From there half goes to the hazards and half to the
locales, evenly within each. A shown hazard or locale hands half to its siblings and half to the
cells beneath it (with no cells in the graph: to the other family); a shown cell hands its share
to the other cells. Where one half has no receiver, the other takes it.

Invariants:
- A row of edges sums to at most 1, and the shares to at most alpha.
- The result does not depend on the order in which claims are shown; the printed level at which
  each was tested does, so that order is fixed: the first showable claim in the plan's order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from undersigned.scoring.claims import LEVELS, Level, Scope
from undersigned.scoring.figures import share_of_alpha

Floats = npt.NDArray[np.float64]


class Node(NamedTuple):
    """A claim's place in the hierarchy."""

    level: Level
    scope: Scope


class Tested(NamedTuple):
    """alpha: decimal string, the level at which the claim was shown, or its last share."""

    shown: bool
    alpha: str


def hierarchy(nodes: Sequence[Node]) -> Floats:
    """Return the edges, shape (nodes, nodes); row i says where the share of i goes."""
    edges = np.zeros((len(nodes), len(nodes)))
    for i, node in enumerate(nodes):
        groups = [group for group in _receivers(i, node, nodes) if group]
        for group in groups:
            edges[i, group] = 1 / len(groups) / len(group)
    return edges


def _receivers(i: int, node: Node, nodes: Sequence[Node]) -> list[list[int]]:
    at: dict[Level, list[int]] = {
        level: [j for j, other in enumerate(nodes) if j != i and other.level == level]
        for level in LEVELS
    }
    if node.level == "suite":
        return [at["hazard"], at["locale"]] if at["hazard"] or at["locale"] else [at["cell"]]
    if node.level == "cell":
        return [at["cell"]]
    other: Level = "locale" if node.level == "hazard" else "hazard"
    beneath = [j for j in at["cell"] if _is_beneath(nodes[j].scope, node.scope)]
    return [at[node.level], beneath if at["cell"] else at[other]]


def _is_beneath(cell: Scope, above: Scope) -> bool:
    return above.hazard in (None, cell.hazard) and above.locale in (None, cell.locale)


def first_shares(nodes: Sequence[Node], alpha: float) -> list[str]:
    """Return, per node, the share it gets when those above it were shown and no sibling was.

    The Bonferroni share in the graph, a decimal string: the level for which power is planned.
    """
    edges, rank = hierarchy(nodes), {"suite": 0, "hazard": 1, "locale": 1, "cell": 2}
    ranks = [rank[node.level] for node in nodes]
    shares = np.array([alpha if r == 0 else 0.0 for r in ranks])
    for depth in (0, 1):
        for i, r in enumerate(ranks):
            if r == depth:
                down = [edges[i, j] if ranks[j] > depth else 0.0 for j in range(len(nodes))]
                shares = shares + shares[i] * np.array(down)
    return [share_of_alpha(float(share)) for share in shares]


def run_graph(p_values: Sequence[float], shares: Sequence[float], edges: Floats) -> list[Tested]:
    """Test every claim.

    p_values: one per claim, as printed. shares: alpha held at the start. edges: shape
    (claims, claims), zero diagonal, rows summing to at most 1.
    """
    held, g = np.array(shares, dtype=np.float64), edges.copy()
    shown: dict[int, str] = {}
    open_ = list(range(len(held)))
    while (j := _next(open_, p_values, held)) is not None:
        shown[j] = share_of_alpha(float(held[j]))
        held = held + held[j] * g[j]
        held[j] = 0.0
        g = _without(g, j)
        open_.remove(j)
    return [
        Tested(True, shown[i]) if i in shown else Tested(False, share_of_alpha(float(held[i])))
        for i in range(len(held))
    ]


def _next(open_: Sequence[int], p_values: Sequence[float], held: Floats) -> int | None:
    for i in open_:
        # WHY twice: the first comparison is cheap and only leaves out what the second would.
        if p_values[i] > held[i] + 1e-9:
            continue
        if p_values[i] <= float(share_of_alpha(float(held[i]))) > 0:
            return i
    return None


def _without(g: Floats, j: int) -> Floats:
    """Return the edges after node j has left: paths through j become direct."""
    loop = g[:, j] * g[j, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        joined = (g + np.outer(g[:, j], g[j, :])) / (1 - loop)[:, None]
    joined[loop >= 1 - 1e-12, :] = 0.0
    joined[:, j] = 0.0
    joined[j, :] = 0.0
    np.fill_diagonal(joined, 0.0)
    return joined
