"""Is a badly written policy refused fault by fault, and usable once all are mended?"""

from __future__ import annotations

from pathlib import Path

import pytest

from undersigned.controls.policy import load_policy
from undersigned.core.errors import UsageError
from undersigned.episodes.controlled import tool_specs
from undersigned.worlds.family import load_family

FILE = Path(__file__).parents[2] / "examples" / "bad_policy.cedar"
MENDED = (
    ("permit (principal", '@id("release-base")\npermit (principal', "E-CTL-002"),
    ("@id(\"no-refunds\")\nforbid (principal, action == Action::\"recall_payment\"",
     '@id("no-recalls")\nforbid (principal, action == Action::"recall_payment"', "E-CTL-003"),
    ("ammount", "amount", ""),
    ('"500,000"', "500000", ""),
    ("refund_payment", "recall_payment", "E-CTL-006"),
    ('@else("narrow:amount<=1000")', '@else("ask")', "E-CTL-010"),
    ("screen_payes.result=ok", "screen_payee.result=clear", "E-CTL-016"),
)  # fmt: skip
"""What is wrong, how it is mended, and the code that tells it where that is certain."""


def test_bad_policy__each_fault_mended_as_it_is_told__is_refused_until_none_is_left() -> None:
    tools = tool_specs(load_family("payments", ("en",)))
    text, left = FILE.read_text(), {code for *_, code in MENDED if code}
    for wrong, right, _ in MENDED:
        with pytest.raises(UsageError) as caught:
            load_policy(text, tools)
        assert caught.value.code.startswith("E-CTL-")
        assert caught.value.remedy
        left.discard(caught.value.code)
        assert text.count(wrong) == 1, wrong
        text = text.replace(wrong, right)
    assert load_policy(text, tools).rules
    assert not left, "a fault that was never told by its own code"
