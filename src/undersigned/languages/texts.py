"""What do the messages of one folder say in each locale, and in what state of review?

A folder holds one Fluent file (syntax 1.0, UTF-8) per locale: ``<folder>/<tag>.ftl``. Loading is
strict: every locale defines the same messages with the same slots, and whatever Fluent would
skip or guess is refused with file, message and line. Attributes are refused; a term must be used.

Invariants:
- A loaded ``Texts`` renders every message in every locale, given its slots.
- A message's digest changes when its pattern, or that of anything it refers to, changes.
- The state is ``draft`` for every message: a state above it is a signed review, and without a
  reader of signed reviews nothing here may claim one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from babel.core import get_global
from fluent.syntax import FluentParser, ast

from undersigned.core.canonical import Digest, digest, digest_bytes
from undersigned.core.errors import UsageError
from undersigned.languages.compiled import Compiled, Slot, UnacceptedError, compile_entry
from undersigned.languages.locales import locale, nearest
from undersigned.languages.problems import (
    MESSAGES_DIFFER,
    SLOTS_DIFFER,
    SLOTS_MISFIT,
    TEXT_FILE,
    TEXT_SYNTAX,
    UNKNOWN_LOCALE,
    UNKNOWN_MESSAGE,
)
from undersigned.languages.quantities import Day, Money, exponent, format_day, format_money

__all__ = [
    "Day",
    "Money",
    "ReviewState",
    "Slot",
    "Texts",
    "exponent",
    "format_day",
    "format_money",
    "versions",
]

ReviewState: TypeAlias = Literal["draft", "reviewed", "native"]
"""draft: nobody has signed for the text. reviewed: a named person signed that it says what the
other locales say. native: a named native speaker did, and that it reads naturally."""


class TextFile(NamedTuple):
    """One parsed file. name: as given. source: its text. messages, terms: by id, ``-id``."""

    name: str
    source: str
    digest: Digest
    entries: Mapping[str, ast.Message | ast.Term]
    messages: Mapping[str, Compiled]

    def pattern_source(self, key: str) -> str:
        """Return the exact source of an entry's pattern, as written in the file."""
        value = self.entries[key].value
        if value is None or value.span is None:  # refused at load
            return ""
        return self.source[value.span.start : value.span.end]


class Texts:
    """The messages of one folder of Fluent files, in some locales. Immutable."""

    __slots__ = ("_files", "locales")

    def __init__(self, files: Mapping[str, TextFile]) -> None:
        """Hold parsed files by tag; use ``Texts.load``, which checks them."""
        self.locales = tuple(files)
        self._files = MappingProxyType(dict(files))

    @classmethod
    def load(cls, folder: Traversable | Path, locales: Sequence[str]) -> Texts:
        """Load ``<folder>/<tag>.ftl`` for every locale, strictly.

        locales: tags of shipped locales, at least one; the first is what the others are compared
        with. Raises UsageError: E-LNG-001 unknown locale (or none), E-LNG-002 unreadable file,
        E-LNG-003 syntax that is not accepted, E-LNG-004 and E-LNG-005 locales that disagree.
        """
        if not locales:
            raise UsageError(UNKNOWN_LOCALE, "no locale was asked for", known="see LOCALES")
        tags = [locale(tag).tag for tag in locales]
        files = {tag: _read(folder, tag) for tag in tags}
        first = files[locales[0]]
        for file in files.values():
            _compare(first, file)
        return cls(files)

    def render(self, tag: str, message: str, slots: Mapping[str, Slot]) -> str:
        """Return a message's text.

        slots: exactly the message's slots; strings are inserted verbatim. Raises UsageError:
        E-LNG-001 or E-LNG-006 for what is not loaded, E-LNG-007 for slots that do not fit,
        E-LNG-008 and E-LNG-009 for amounts and days that cannot be written.
        """
        file = self._files.get(tag)
        plan = None if file is None else file.messages.get(message)
        if plan is None:
            raise self._unknown(tag, message)
        if slots.keys() != plan.slots:
            raise UsageError(
                SLOTS_MISFIT,
                "the slots are not those of the message",
                message=message,
                expected=", ".join(sorted(plan.slots)) or "none",
                given=", ".join(sorted(slots)) or "none",
            )
        return plan.render(slots)

    def messages(self) -> tuple[str, ...]:
        """Return the ids of the messages, sorted; the same in every locale."""
        return tuple(sorted(self._files[self.locales[0]].messages))

    def slots(self, message: str) -> frozenset[str]:
        """Return the names of a message's slots. Raises UsageError (E-LNG-006)."""
        return self._compiled(self.locales[0], message).slots

    def message_digest(self, tag: str, message: str) -> Digest:
        """Return the digest of a message in a locale.

        It covers the locale, the id, the exact source of the pattern, the slots, and the source
        of every entry that the pattern refers to. Raises UsageError (E-LNG-001, E-LNG-006).
        """
        compiled, file = self._compiled(tag, message), self._files[tag]
        return digest(
            {
                "locale": tag,
                "message": message,
                "pattern": file.pattern_source(message),
                "slots": sorted(compiled.slots),
                "uses": [[key, file.pattern_source(key)] for key in sorted(compiled.uses)],
            }
        )

    def state(self, tag: str, message: str) -> ReviewState:
        """Return a message's state of review: always ``draft``.

        A higher state is a signed statement over ``message_digest``, kept beside the file. This
        version reads no such statements, so it reports none. Raises UsageError (E-LNG-001,
        E-LNG-006).
        """
        self._compiled(tag, message)
        return "draft"

    def sources(self) -> Mapping[str, Digest]:
        """Return the digest of each locale's file, byte for byte, by tag."""
        return MappingProxyType({tag: file.digest for tag, file in self._files.items()})

    def _compiled(self, tag: str, message: str) -> Compiled:
        file = self._files.get(tag)
        if file is None or message not in file.messages:
            raise self._unknown(tag, message)
        return file.messages[message]

    def _unknown(self, tag: str, message: str) -> UsageError:
        file = self._files.get(tag)
        if file is None:
            return UsageError(
                UNKNOWN_LOCALE,
                "the locale was not loaded",
                locale=tag,
                known=", ".join(self.locales),
            )
        return UsageError(
            UNKNOWN_MESSAGE,
            "the message is not defined",
            message=message,
            file=file.name,
            nearest=nearest(message, file.messages) or "none",
        )


def _read(folder: Traversable | Path, tag: str) -> TextFile:
    path = folder / f"{tag}.ftl"
    try:
        data = path.read_bytes()
        source = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            TEXT_FILE, "a text file cannot be read", file=str(path), reason=str(error)
        ) from error
    name = str(path)
    entries = _entries(name, source)
    compiled = {key: _compile(name, source, tag, key, entries) for key in entries}
    used = frozenset[str]().union(*(each.uses for each in compiled.values()))
    for key, entry in entries.items():
        if key.startswith("-") and key not in used:
            raise _syntax(name, source, entry, key, "is a term that no message uses")
    messages = {key: each for key, each in compiled.items() if not key.startswith("-")}
    return TextFile(
        name, source, digest_bytes(data), MappingProxyType(entries), MappingProxyType(messages)
    )


def _entries(name: str, source: str) -> dict[str, ast.Message | ast.Term]:
    """Parse a file, refusing junk, doubles and attributes. Terms get ``-`` before their id."""
    entries: dict[str, ast.Message | ast.Term] = {}
    for entry in FluentParser().parse(source).body:
        if isinstance(entry, ast.Junk):
            note = entry.annotations[0] if entry.annotations else None
            reason = note.message if note else None
            raise _syntax(name, source, note or entry, "(unparsed)", reason or "cannot be parsed")
        if not isinstance(entry, ast.Message | ast.Term):
            continue
        key = ("-" if isinstance(entry, ast.Term) else "") + entry.id.name
        if key in entries:
            raise _syntax(name, source, entry, key, "is defined twice")
        if entry.attributes:
            raise _syntax(name, source, entry.attributes[0], key, "has an attribute")
        entries[key] = entry
    return entries


def _compile(
    name: str, source: str, tag: str, key: str, entries: Mapping[str, ast.Message | ast.Term]
) -> Compiled:
    try:
        return compile_entry(tag, key, entries)
    except UnacceptedError as error:
        raise UsageError(
            TEXT_SYNTAX,
            "a message is not in the accepted syntax",
            file=name,
            line=source.count("\n", 0, error.start) + 1 if error.start is not None else "?",
            message=key,
            reason=error.reason,
        ) from error


def _syntax(name: str, source: str, node: ast.SyntaxNode, key: str, reason: str) -> UsageError:
    start = node.span.start if node.span else 0
    return UsageError(
        TEXT_SYNTAX,
        "a message is not in the accepted syntax",
        file=name,
        line=source.count("\n", 0, start) + 1,
        message=key,
        reason=reason,
    )


def _line(file: TextFile, key: str) -> int:
    span = file.entries[key].span
    return file.source.count("\n", 0, span.start) + 1 if span else 0


def _compare(first: TextFile, file: TextFile) -> None:
    """Refuse a file that does not define the same messages with the same slots as the first."""
    for missing in sorted(first.messages.keys() - file.messages.keys()):
        raise UsageError(
            MESSAGES_DIFFER,
            "a message is missing",
            message=missing,
            file=file.name,
            line=file.source.count("\n") + 1,
            defined=f"{first.name}, line {_line(first, missing)}",
        )
    for extra in sorted(file.messages.keys() - first.messages.keys()):
        raise UsageError(
            MESSAGES_DIFFER,
            "a message is not defined elsewhere",
            message=extra,
            file=first.name,
            line=first.source.count("\n") + 1,
            defined=f"{file.name}, line {_line(file, extra)}",
        )
    for key, compiled in file.messages.items():
        expected = first.messages[key].slots
        if compiled.slots != expected:
            raise UsageError(
                SLOTS_DIFFER,
                "the slots of a message differ",
                message=key,
                file=file.name,
                line=_line(file, key),
                slots=", ".join(sorted(compiled.slots)) or "none",
                expected=", ".join(sorted(expected)) or "none",
            )


def versions() -> dict[str, str]:
    """Return the versions that a rendered text depends on, for pinning by a plan."""
    return {
        "babel": version("babel"),
        "cldr": str(get_global("cldr")["version"]),
        "fluent.runtime": version("fluent.runtime"),
        "fluent.syntax": version("fluent.syntax"),
        "unicode": unicodedata.unidata_version,
    }
