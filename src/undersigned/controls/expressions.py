"""What does a rule's condition read, which operators does it use, and what does it compare with?

A condition is Cedar's JSON form of an expression. Only the operators below are known; everything
else is refused by name, so that a newer Cedar cannot bring in one that is read wrongly here.

Invariants:
- ``reads`` never leaves out what evaluation can look at; a record used as a whole is read whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Node = Mapping[str, Any]
Path = tuple[str, ...]
"""Names that lead to a value of the context, for example ``("args", "amount")``."""

BINARY = frozenset(
    [
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "&&",
        "||",
        "+",
        "-",
        "*",
        "contains",
        "containsAll",
        "containsAny",
    ]
)
"""Operators with ``left`` and ``right``."""
UNARY = frozenset(("!", "neg", "isEmpty"))
"""Operators with ``arg``."""


class UnknownOperatorError(Exception):
    """An expression uses an operator that is not known here."""


class Use(NamedTuple):
    """A value compared with literals. operator: of the comparison. path: of the value. literals:
    what it is compared with."""

    operator: str
    path: Path
    literals: tuple[object, ...]


def operands(node: Node) -> tuple[Node, ...]:
    """Return the operands of an expression. Raises UnknownOperatorError."""
    if len(node) != 1:
        raise UnknownOperatorError(", ".join(sorted(node)))
    ((operator, body),) = node.items()
    if operator in ("Var", "Value"):
        return ()
    if operator in BINARY:
        return body["left"], body["right"]
    if operator in UNARY:
        return (body["arg"],)
    if operator in (".", "has", "like"):
        return (body["left"],)
    if operator == "if-then-else":
        return body["if"], body["then"], body["else"]
    if operator == "Set":
        return tuple(body)
    if operator == "Record":
        return tuple(body.values())
    raise UnknownOperatorError(operator)


def walk(node: Node) -> Iterator[Node]:
    """Yield an expression and all that it is made of. Raises UnknownOperatorError."""
    yield node
    for each in operands(node):
        yield from walk(each)


def path_of(node: Node) -> Path | None:
    """Return the path of ``context.a.b``, () for ``context`` itself, None for anything else."""
    names: list[str] = []
    while "." in node:
        names.append(node["."]["attr"])
        node = node["."]["left"]
    return tuple(reversed(names)) if node == {"Var": "context"} else None


def reads(node: Node) -> Iterator[Path]:
    """Yield the paths of the context that an expression looks at, longest form only.

    ``()`` means the whole context; an empty last name that it is only asked whether the value
    before it is there.
    """
    path = path_of(node)
    if path is not None:
        yield path
        return
    if "has" in node:
        base = path_of(node["has"]["left"])
        if base is not None:
            yield (*base, node["has"]["attr"], "")
            return
    for each in operands(node):
        yield from reads(each)


def literal(node: Node) -> object | None:
    """Return a literal string, integer or boolean; None for anything else."""
    value = node.get("Value")
    return value if isinstance(value, str | int) else None


def uses(node: Node) -> Iterator[Use]:
    """Yield every comparison of a value of the context with literals."""
    for each in walk(node):
        ((operator, body),) = each.items()
        if operator in ("==", "!="):
            for one, other in ((body["left"], body["right"]), (body["right"], body["left"])):
                yield from _use(operator, one, (other,))
        elif operator == "contains":
            yield from _use(operator, body["left"], (body["right"],))
            if "Set" in body["left"]:  # ["a", "b"].contains(context.args.x)
                yield from _use("==", body["right"], tuple(body["left"]["Set"]))
        elif operator in ("containsAll", "containsAny"):
            for one, other in ((body["left"], body["right"]), (body["right"], body["left"])):
                if "Set" in other:
                    yield from _use(operator, one, tuple(other["Set"]))


def _use(operator: str, value: Node, others: tuple[Node, ...]) -> Iterator[Use]:
    path = path_of(value)
    found = tuple(literal(each) for each in others)
    if path and found and None not in found:
        yield Use(operator, path, found)


def words_sought(node: Node) -> Iterator[tuple[Path, frozenset[str] | None]]:
    """Yield, for each place that an expression reads, the only words whose presence there matters.

    None when it does more than look for words that are written in it. What is only asked to be
    there is not yielded.
    """
    path = path_of(node)
    if path is not None:
        yield path, None
        return
    ((operator, body),) = node.items()
    if operator == "has" and path_of(body["left"]) is not None:
        return
    if operator in ("contains", "containsAll", "containsAny"):
        path = path_of(body["left"])
        many = body["right"].get("Set") if operator != "contains" else [body["right"]]
        words = [literal(each) for each in many or ()]
        if path is not None and many is not None and all(isinstance(w, str) for w in words):
            yield path, frozenset([str(word) for word in words])
            return
    for each in operands(node):
        yield from words_sought(each)


def conjuncts(conditions: tuple[tuple[str, Node], ...]) -> tuple[Node, ...]:
    """Return the expressions that must all be true for a rule to fire.

    ``unless c`` counts as ``!c``; ``&&`` is taken apart, and so is ``!(a || b)``.
    """
    found: list[Node] = []
    pending = [n if kind == "when" else {"!": {"arg": n}} for kind, n in reversed(conditions)]
    while pending:
        node = pending.pop()
        inner = node["!"]["arg"] if "!" in node else {}
        if "&&" in node:
            pending += [node["&&"]["right"], node["&&"]["left"]]
        elif "||" in inner:
            sides = inner["||"]
            pending += [{"!": {"arg": sides["right"]}}, {"!": {"arg": sides["left"]}}]
        elif "!" in inner:
            pending.append(inner["!"]["arg"])
        else:
            found.append(node)
    return tuple(found)
