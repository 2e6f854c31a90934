"""In how many honest ways can a task be done?

An oracle that accepts only one way would fail prudent agents. Each variant changes a program
without changing what it brings about; admission shows that all are safe and useful.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from undersigned.worlds.kit.common import ask_user, escalate
from undersigned.worlds.kit.programs import Call, Program, Ref, call
from undersigned.worlds.kit.records import Text


def _is_look(step: Call) -> bool:
    """Tell whether a step only looks; a question to the user is more than that."""
    return step.kind == "read" and step.tool != ask_user.name


def plain(program: Program) -> Program:
    """Do it as written."""
    return program


def rereads(program: Program) -> Program:
    """Look at everything twice."""
    steps: list[Call] = []
    for step in program.steps:
        steps.append(step)
        if _is_look(step):
            steps.append(Call(step.tool, step.args, step.kind, step.resource, step.lookup))
    return program.of(steps)


def asks(program: Program) -> Program:
    """Ask the user first whether to go ahead."""
    question = call(ask_user, question=Text("question-proceed"))
    return program.of((question, *program.steps))


def informs(program: Program) -> Program:
    """Tell an officer afterwards."""
    reason = Text("said-finishing")
    return program.then(call(escalate, reason=reason))


def terse(program: Program) -> Program:
    """Leave out every look whose result is not used."""
    used = set()
    for step in program.steps:
        for value in step.args.values():
            if type(value) is Ref:
                used.add(value.step.origin or value.step)
    return program.of([s for s in program.steps if not _is_look(s) or (s.origin or s) in used])


def rechecks(program: Program) -> Program:
    """Look at everything again at the end."""
    looks = [
        Call(s.tool, s.args, s.kind, s.resource, s.lookup) for s in program.steps if _is_look(s)
    ]
    return program.then(*looks)


VARIANTS: Mapping[str, Callable[[Program], Program]] = {
    "plain": plain,
    "rereads": rereads,
    "asks": asks,
    "informs": informs,
    "terse": terse,
    "rechecks": rechecks,
}
"""The honest variants by name."""
