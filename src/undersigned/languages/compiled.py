"""What does one Fluent pattern say for given slots, as fast as a ``%`` template?

Takes the syntax tree of a pattern (Fluent syntax 1.0) and makes a template with holes, or, where
the pattern selects among variants, a walk over its parts. Rendering is checked against
``fluent.runtime`` (see ``reference``), which is not used here: it replaces a slot of more than
2,500 characters by ``{???}``, and takes some 40 us.

Accepts: text, string literals, ``{ $slot }``, ``MONEY($slot)``, ``DATE($slot)``,
``NUMBER($slot)``, references to messages and terms of the same file, and selection by a slot
(exact integers, plural categories, strings). Refuses everything else: other functions, named
arguments, attributes, arguments of terms, number literals outside variant keys.

Invariants:
- Strings are inserted verbatim; no isolation characters are added.
- A slot of a type that its place cannot show raises, it is never shown as something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

from fluent.syntax import ast

from undersigned.core.errors import UsageError
from undersigned.languages.problems import SLOTS_MISFIT
from undersigned.languages.quantities import (
    Day,
    Money,
    babel_locale,
    format_day,
    format_money,
    number_writer,
)

Slot: TypeAlias = str | int | Money | Day
"""What a slot may hold: a string (verbatim), an integer, an amount or a day."""

Render: TypeAlias = Callable[[Mapping[str, Slot]], str]
Entries: TypeAlias = Mapping[str, ast.Message | ast.Term]
"""The entries of one file: messages by id, terms by ``-id``."""

FUNCTIONS: Final = ("MONEY", "DATE", "NUMBER")


class UnacceptedError(Exception):
    """A construct that is not accepted. reason: why. start: offset in the source, when known."""

    def __init__(self, reason: str, node: ast.BaseNode | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        span = getattr(node, "span", None)
        self.start: int | None = span.start if span else None


class _Place(NamedTuple):
    """Where a slot stands, for error messages and locale."""

    tag: str
    message: str
    slot: str


class _Hole(NamedTuple):
    """A place for one slot. show: writes the slot's value. verbatim: which for a string is the
    string itself."""

    slot: str
    show: Callable[[Slot], str]
    verbatim: bool


class _Choice(NamedTuple):
    """A place whose text depends on a slot."""

    choose: Render


_Part: TypeAlias = str | _Hole | _Choice


class Compiled(NamedTuple):
    """A pattern ready to render.

    render: slots -> text. slots: the names it uses. uses: the entries it refers to, directly or
    not.
    """

    render: Render
    slots: frozenset[str]
    uses: frozenset[str]


def compile_entry(tag: str, key: str, entries: Entries) -> Compiled:
    """Compile the pattern of one entry (a message's id, or ``-id`` for a term).

    Raises UnacceptedError for constructs outside the accepted syntax, missing references and
    reference cycles.
    """
    compiler = _Compiler(tag, key, entries)
    parts = compiler.entry(key, None)
    return Compiled(_renderer(parts), frozenset(compiler.slots), frozenset(compiler.uses))


class _Compiler:
    def __init__(self, tag: str, key: str, entries: Entries) -> None:
        self.tag = tag
        self.message = key
        self.entries = entries
        self.slots: set[str] = set()
        self.uses: set[str] = set()
        self._open: list[str] = []

    def entry(self, key: str, node: ast.BaseNode | None) -> list[_Part]:
        entry = self.entries.get(key)
        if entry is None:
            raise UnacceptedError(f"refers to {key}, which the file does not define", node)
        if key in self._open:
            raise UnacceptedError(f"refers to itself through {key}", node)
        if entry.value is None:
            raise UnacceptedError("has no text", entry)
        if self._open:
            self.uses.add(key)
        self._open.append(key)
        parts = self.pattern(entry.value)
        self._open.pop()
        return parts

    def pattern(self, pattern: ast.Pattern) -> list[_Part]:
        parts: list[_Part] = []
        for element in pattern.elements:
            if isinstance(element, ast.TextElement):
                parts.append(element.value)
            else:
                parts.extend(self.expression(element))
        return parts

    def expression(self, node: ast.BaseNode) -> list[_Part]:
        if isinstance(node, ast.Placeable):
            return self.expression(node.expression)
        if isinstance(node, ast.StringLiteral):
            return [str(node.parse()["value"])]
        if isinstance(node, ast.VariableReference):
            return [self.hole(node, "")]
        if isinstance(node, ast.FunctionReference):
            return [self.call(node)]
        if isinstance(node, ast.SelectExpression):
            return [self.choice(node)]
        if isinstance(node, ast.MessageReference) and node.attribute is None:
            return self.entry(node.id.name, node)
        if isinstance(node, ast.TermReference) and not (node.attribute or node.arguments):
            return self.entry("-" + node.id.name, node)
        raise UnacceptedError(f"uses a {type(node).__name__}, which is not accepted here", node)

    def hole(self, node: ast.VariableReference, function: str) -> _Hole:
        name = node.id.name
        self.slots.add(name)
        show = _shower(_Place(self.tag, self.message, name), function)
        return _Hole(name, show, not function)

    def call(self, node: ast.FunctionReference) -> _Hole:
        function, arguments = node.id.name, node.arguments
        if function not in FUNCTIONS:
            raise UnacceptedError(f"calls the unknown function {function}", node)
        positional = arguments.positional
        if arguments.named or len(positional) != 1:
            raise UnacceptedError(f"must call {function} with exactly one slot", node)
        argument = positional[0]
        if not isinstance(argument, ast.VariableReference):
            raise UnacceptedError(f"must call {function} with a slot", node)
        return self.hole(argument, function)

    def choice(self, node: ast.SelectExpression) -> _Choice:
        selector, integers_only = node.selector, False
        if isinstance(selector, ast.FunctionReference) and selector.id.name == "NUMBER":
            name, integers_only = self.call(selector).slot, True
        elif isinstance(selector, ast.VariableReference):
            name = selector.id.name
            self.slots.add(name)
        else:
            raise UnacceptedError("selects by something other than a slot or NUMBER(slot)", node)
        variants: list[tuple[str | int, Render]] = []
        default: Render | None = None
        for variant in node.variants:
            render = _renderer(self.pattern(variant.value))
            variants.append((_key(variant.key), render))
            default = render if variant.default else default
        if default is None:
            raise UnacceptedError("selects without a default variant", node)
        place = _Place(self.tag, self.message, name)
        return _Choice(_chooser(place, variants, default, integers_only))


def _key(key: ast.Identifier | ast.NumberLiteral) -> str | int:
    if isinstance(key, ast.Identifier):
        return key.name
    try:
        return int(key.value)
    except ValueError as error:
        raise UnacceptedError("has a variant key that is no integer", key) from error


def _misfit(place: _Place, value: object, expected: str) -> UsageError:
    return UsageError(
        SLOTS_MISFIT,
        "a slot's type does not fit its place in the text",
        message=place.message,
        slot=place.slot,
        type=type(value).__name__,
        expected=f"{place.slot} as {expected}",
    )


def _shower(place: _Place, function: str) -> Callable[[Slot], str]:
    """Return the function that writes one slot's value in one place."""
    tag = place.tag
    write = number_writer(tag)

    def show(value: Slot) -> str:
        kind = type(value)
        if kind is str:
            return value  # type: ignore[return-value]
        if kind is Money:
            return format_money(tag, value)  # type: ignore[arg-type]
        if kind is int:
            return write(value)  # type: ignore[arg-type]
        if kind is Day:
            return format_day(tag, value)  # type: ignore[arg-type]
        raise _misfit(place, value, "str, int, Money or Day")

    def money(value: Slot) -> str:
        if type(value) is not Money:
            raise _misfit(place, value, "Money")
        return format_money(tag, value)

    def day(value: Slot) -> str:
        if type(value) is not Day:
            raise _misfit(place, value, "Day")
        return format_day(tag, value)

    def number(value: Slot) -> str:
        if type(value) is not int:
            raise _misfit(place, value, "int")
        return write(value)

    return {"": show, "MONEY": money, "DATE": day, "NUMBER": number}[function]


def _chooser(
    place: _Place,
    variants: list[tuple[str | int, Render]],
    default: Render,
    integers_only: bool,
) -> Render:
    """Return the function that renders the first variant that matches, else the default.

    An integer matches its own key or the key of its plural category (CLDR cardinal rules); a
    string matches the same string.
    """
    name = place.slot
    category = babel_locale(place.tag).plural_form

    def choose(slots: Mapping[str, Slot]) -> str:
        value = slots[name]
        kind = type(value)
        if isinstance(value, int) and kind is int:
            accepted: tuple[object, ...] = (value, category(value))
        elif kind is str and not integers_only:
            accepted = (value,)
        else:
            raise _misfit(place, value, "int" if integers_only else "int or str")
        for key, render in variants:
            if key in accepted:
                return render(slots)
        return default(slots)

    return choose


def _renderer(parts: list[_Part]) -> Render:
    """Return a ``%`` template for parts without choices, else a walk over the parts."""
    choices = any(type(part) is _Choice for part in parts)
    return _walk(parts) if choices else _template(parts)


def _walk(parts: list[_Part]) -> Render:
    def one(part: _Part) -> Render:
        return part.choose if isinstance(part, _Choice) else _template([part])

    renders = [one(part) for part in parts]

    def render(slots: Mapping[str, Slot]) -> str:
        return "".join([each(slots) for each in renders])

    return render


def _template(parts: list[_Part]) -> Render:
    holes = [part for part in parts if isinstance(part, _Hole)]
    template = "".join(part.replace("%", "%%") if isinstance(part, str) else "%s" for part in parts)
    if not holes:
        text = template % ()
        return lambda _slots: text
    if all(hole.verbatim for hole in holes):
        # WHY without the functions: nearly all slots are strings, inserted as they are
        return _verbatim(template, [(name, show) for name, show, _ in holes])
    if len(holes) == 1:
        name, show, _ = holes[0]
        return lambda slots: template % (show(slots[name]),)
    if len(holes) == 2:
        (name, show, _), (name2, show2, _) = holes
        return lambda slots: template % (show(slots[name]), show2(slots[name2]))
    return lambda slots: template % tuple([show(slots[name]) for name, show, _ in holes])


def _verbatim(template: str, holes: list[tuple[str, Callable[[Slot], str]]]) -> Render:
    if len(holes) == 1:
        only, show_only = holes[0]

        def render_one(slots: Mapping[str, Slot]) -> str:
            value = slots[only]
            return template % (value if type(value) is str else show_only(value),)

        return render_one
    values_of = itemgetter(*[name for name, _ in holes])

    def render(slots: Mapping[str, Slot]) -> str:
        values: tuple[Slot, ...] = values_of(slots)
        for value in values:
            if type(value) is not str:
                return template % tuple([show(slots[name]) for name, show in holes])
        return template % values

    return render
