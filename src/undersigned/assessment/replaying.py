"""What would have come of a dossier's own episodes behind another policy?

The same seeds, the same agent: with nothing in between, behind the policy of the run (if it had
one), and behind another one, for example after a rule was repaired. Only for a reference agent; of
any other the recorded turns hold only up to the first act that comes out otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

from undersigned.assessment.arms import Comparison
from undersigned.assessment.comparison import compare, is_exact, run_arm
from undersigned.assessment.dossier import Dossier
from undersigned.assessment.problems import CANNOT_REPLAY
from undersigned.assessment.rerun import bench_of, installed
from undersigned.controls.policy import load_policy
from undersigned.core.errors import UndecidableError
from undersigned.episodes.controlled import tool_specs
from undersigned.episodes.run_controls import Controls


async def replay(
    dossier: Dossier,
    policy: str,
    *,
    reviewer: str = "rubber-stamp",
    ground_rule: bool = True,
    on_episode: Callable[[int], None] | None = None,
) -> Comparison:
    """Run a dossier's episodes again behind a policy and compare.

    policy: Cedar text. reviewer: who is assumed to answer where the run had none. on_episode:
    told how many more were run. Raises UsageError (E-CTL-...) for the policy, UndecidableError
    (E-ASM-005) when another program made the dossier, (E-ASM-019) for an agent that cannot be run
    again.
    """
    if not is_exact(dossier.card):
        raise UndecidableError(CANNOT_REPLAY, "this agent cannot be run again", path=dossier.path)
    suite = installed(dossier)
    other = load_policy(policy, tool_specs(suite.family), ground_rule=ground_rule)
    bench = bench_of(dossier, suite)
    if bench.controls is None:
        bench = bench._replace(controls=Controls(other, reviewer))
        own, beside = await run_arm(bench, dossier.nonce, on_episode), None
    else:
        own, beside = await run_arm(bench, dossier.nonce, on_episode), other
    found = await compare(
        bench, own, exact=True, nonce=dossier.nonce, other=beside, on_episode=on_episode
    )
    assert found is not None  # INVARIANT: there are controls
    return found
