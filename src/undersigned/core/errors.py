"""Which ways can Undersigned fail, and what does the user do about each?

The whole tree::

    UndersignedError                exit 70  an error of our own making
      UsageError                   exit 2   the request, a card or a setting is wrong
      EvidenceError                exit 3   evidence does not verify
      UndecidableError             exit 4   cannot be decided here or with this much data
      NothingSelectedError         exit 5   the selection is empty
      AccessDeniedError            exit 6   a key, permission or grant is missing
      StorageError                 exit 70  disk full, file unreadable, lock held
      InterruptedRunError          exit 130 stopped by a person; can be resumed
      ToolError                    (never leaves an episode) a tool refuses a call

An error is data first: a ``Problem`` (stable code, why it matters, one remedy command), what
happened with the offending value, and named fields. Text for people is made from these, with
control characters and bidi controls made visible, because offending values may be hostile.

Packages list their problems in a module called ``problems``; ``undersigned explain CODE`` and
``docs/errors.md`` are generated from those lists.
"""

from __future__ import annotations

import unicodedata
from os import PathLike
from typing import ClassVar, NamedTuple

PRINTABLE_LIMIT = 160
"""Characters of an offending value that are shown before it is cut."""


class Problem(NamedTuple):
    """One way to fail, as data.

    code: stable identifier ``E-XXX-NNN``. title: a short noun phrase. why: why it matters, one
    sentence. remedy: one command or action; ``{field}`` is filled from the error's fields.
    """

    code: str
    title: str
    why: str
    remedy: str


def printable(text: object, limit: int = PRINTABLE_LIMIT) -> str:
    """Show any value on a terminal without letting it act there.

    Control, format (bidi, zero-width), surrogate and private-use characters become ``\\u{hex}``;
    more than ``limit`` characters are cut with a count. Raises only what the value's own ``repr``
    raises.

    >>> printable("a\\x1b[31m")
    'a\\\\u{1b}[31m'
    """
    raw = str(text) if isinstance(text, str | PathLike) else repr(text)
    shown = "".join(
        c if c == " " or unicodedata.category(c)[0] not in "CZ" else f"\\u{{{ord(c):x}}}"
        for c in raw[:limit]
    )
    return shown if len(raw) <= limit else f"{shown}... ({len(raw)} characters)"


class UndersignedError(Exception):
    """Base of every error that Undersigned raises on purpose.

    problem: what kind it is. what: what happened, one sentence without the value. fields: the
    offending values by name, shown as ``name: value`` and usable in the remedy.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, problem: Problem, what: str = "", /, **fields: object) -> None:
        self.problem = problem
        self.what = what or problem.title
        self.fields = {name: printable(value) for name, value in fields.items()}
        super().__init__(self.text())

    @property
    def code(self) -> str:
        """Return the stable code, for example ``E-EVD-014``."""
        return self.problem.code

    @property
    def remedy(self) -> str:
        """Return the one command or action that remedies it, with fields filled in."""
        text = self.problem.remedy
        for name, value in self.fields.items():
            text = text.replace("{" + name + "}", value)
        return text

    def text(self) -> str:
        """Return the message for people: what, offending values, why, remedy."""
        values = "".join(f"\n  {name}: {value}" for name, value in self.fields.items())
        return f"{self.code}: {self.what}{values}\n  why: {self.problem.why}\n  try: {self.remedy}"

    def as_dict(self) -> dict[str, object]:
        """Return the one error shape of ``--json``."""
        return {
            "code": self.code,
            "what": self.what,
            "fields": dict(self.fields),
            "why": self.problem.why,
            "remedy": self.remedy,
        }


class UsageError(UndersignedError):
    """The request, a card or a setting is wrong."""

    exit_code = 2


class EvidenceError(UndersignedError):
    """Evidence does not verify."""

    exit_code = 3


class UndecidableError(UndersignedError):
    """Cannot be decided here or with this much data."""

    exit_code = 4


class NothingSelectedError(UndersignedError):
    """The selection is empty."""

    exit_code = 5


class AccessDeniedError(UndersignedError):
    """A key, permission or grant is missing."""

    exit_code = 6


class StorageError(UndersignedError):
    """The disk is full, a file cannot be read or written, or a lock is held."""


class InterruptedRunError(UndersignedError):
    """A person stopped the run; it can be resumed."""

    exit_code = 130
