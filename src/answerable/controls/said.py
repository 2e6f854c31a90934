"""Which values did somebody say who may vouch for them: operator, user, or a record of the house?

What an outsider wrote (a memo, a document, a tool's description), the machinery, a memory or
another agent never vouches. Nor does the agent itself: a value that it used in a call before
anybody said it is *introduced*, and an introduced value is vouched for afterwards only by a record
that stands on its own feet.

Invariants:
- A record stands on its own feet for a value when its id had been said before the agent introduced
  the value, and no call of the agent wrote it or named it in a call that writes. So neither the
  record that a call wrote, nor one that came of it, nor the echo in a result vouches.
- What a user answers to a question does not vouch for what the agent introduced.
- A sink is vouched for by a record only from a field of the sink's own name, once such a field has
  been seen: an invoice number does not vouch for an account.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from answerable.controls.vouching import Line, canonical, integer_key, line_of

_EASY_ENDS = frozenset(" \n,;()\"`")


class _Text(msgspec.Struct, eq=False, gc=False):
    """A text of the operator or a user. at: its event. barred: values that it does not vouch for,
    because the agent had introduced them. lines: read when first needed."""

    at: int
    text: str
    barred: frozenset[str]
    lines: tuple[Line, ...] | None = None

    def read(self) -> tuple[Line, ...]:
        lines = self.lines
        if lines is None:
            lines = self.lines = tuple([line_of(each) for each in self.text.split("\n")])
        return lines

    def says_plainly(self, value: str) -> bool:
        """Tell, fast, whether an identifier with a letter stands in the text between spaces.
        False means that it has to be looked for properly."""
        text = self.text
        if self.barred or not value.isascii() or value.isdigit():
            return False
        if not any(map(str.isalpha, value)) or " " in value:
            return False
        start = text.find(value)
        if start < 0:
            return False
        end = start + len(value)
        if start and text[start - 1] not in _EASY_ENDS:
            return False
        after = text[end : end + 2]
        return after[:1] in _EASY_ENDS or after in (".", ". ", ".\n", "") or after == ": "


class Said:
    """What was said so far, by whom. Written to as events come; asking changes nothing."""

    __slots__ = (
        "_folded", "_introduced", "_pending", "_raw", "_sinks", "_sink_names", "_texts", "_written"
    )  # fmt: skip

    def __init__(self, sink_names: frozenset[str]) -> None:
        """Start with nothing said. sink_names: fields that say where something goes."""
        self._texts: list[_Text] = []
        self._raw: dict[str, int] = {}
        self._folded: dict[str, int] = {}
        self._pending: list[tuple[str, int]] = []
        self._sink_names = sink_names
        self._sinks: dict[str, set[str]] = {}
        self._introduced: dict[str, int] = {}
        self._written: set[str] = set()

    def add_text(self, at: int, text: str) -> None:
        """Take a text of the operator or a user."""
        barred = frozenset(self._introduced) if self._introduced else frozenset()
        self._texts.append(_Text(at, text, barred))

    def add_string(self, at: int, field: str, value: str, record: str) -> None:
        """Take a string of a record. field: its name. record: the record's id, or empty."""
        if self._introduced and self._is_echo(canonical(value), record):
            return
        if value not in self._raw:
            self._raw[value] = at
            self._pending.append((value, at))
        if field in self._sink_names:
            self._sinks.setdefault(field, set()).add(value)

    def add_integer(self, at: int, value: int, currency: str, record: str) -> None:
        """Take an integer of a record. currency: of the record, or empty when it has none."""
        key = integer_key(value, currency)
        if self._introduced and self._is_echo(integer_key(value), record):
            return
        self._raw.setdefault(key, at)
        if currency:
            self._raw.setdefault(integer_key(value), at)

    def _is_echo(self, key: str, record: str) -> bool:
        since = self._introduced.get(key)
        if since is None:
            return False
        if not record or record in self._written:
            return True
        known = self._known_since(record)
        return known is None or known >= since

    def _known_since(self, record: str) -> int | None:
        key = canonical(record)
        found = [t.at for t in self._texts if self._text_says(t, record, key)]
        folded = self._fold_pending().get(key)
        return min([*found, folded] if folded is not None else found, default=None)

    def _fold_pending(self) -> dict[str, int]:
        for value, at in self._pending:
            key = canonical(value)
            if key:
                self._folded.setdefault(key, at)
        self._pending.clear()
        return self._folded

    @staticmethod
    def _text_says(text: _Text, value: str, key: str) -> bool:
        if text.says_plainly(value):
            return True
        if key in text.barred:
            return False
        return any([line.says(value, key) for line in text.read()])

    def has(self, value: str, sink: str = "") -> bool:
        """Tell whether somebody who may vouch said a string as a whole.

        sink: name of the field that it goes to, when it says where something goes.
        """
        if not value:
            return True
        by_field = self._sinks.get(sink) if sink else None
        if by_field is None:
            if value in self._raw:
                return True
        elif value in by_field:
            return True
        for text in self._texts:
            if text.says_plainly(value):
                return True
        key = canonical(value)
        if not key:
            return False
        if by_field is None:
            if key in self._fold_pending():
                return True
        elif any([canonical(each) == key for each in by_field]):
            return True
        return any([self._text_says(each, value, key) for each in self._texts])

    def has_amount(self, value: int, currency: str) -> bool:
        """Tell whether somebody who may vouch said an amount of a currency, in minor units."""
        raw, key = self._raw, integer_key(value, currency)
        if key in raw:
            return True
        return any(
            [key in line.money for t in self._texts if key not in t.barred for line in t.read()]
        )

    def has_integer(self, value: int) -> bool:
        """Tell whether somebody who may vouch said an integer that is no amount."""
        key = integer_key(value)
        if key in self._raw:
            return True
        return any(
            [key in line.counts for t in self._texts if key not in t.barred for line in t.read()]
        )

    def names(self, value: str) -> bool:
        """Tell whether a record holds a value, however it is spelt."""
        return value in self._raw or canonical(value) in self._fold_pending()

    def introduce(self, at: int, value: str) -> None:
        """Take note that the agent used a string that nobody had said, and of every value in it
        that nobody had."""
        keys = [canonical(value)]
        lines = [line_of(each) for each in value.split("\n")]
        for line in lines:
            keys += line.money
            keys += [key for key in line.counts if not self.has_integer(int(key[1:]))]
        parts = {part for line in lines for part in line.values}
        keys += [part for part in parts if not self._has_key(part)]
        for key in sorted(keys):
            if key:
                self._introduced.setdefault(key, at)

    def _has_key(self, key: str) -> bool:
        if key in self._fold_pending():
            return True
        return any(
            [key in line.values for t in self._texts if key not in t.barred for line in t.read()]
        )

    def introduce_integer(self, at: int, value: int) -> None:
        """Take note that the agent used an integer that nobody had said."""
        self._introduced.setdefault(integer_key(value), at)

    def write(self, records: Iterable[str]) -> None:
        """Take note of records, by id, that a call of the agent wrote or may have written."""
        self._written.update(records)

