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
- What is worked out late is worked out as of its event, so laziness changes no answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from undersigned.controls.vouching import Line, Text, canonical, integer_key
from undersigned.languages.matching import fold

_COMMAS = frozenset(",\uff0c")
_EASY_ENDS = frozenset(' \n;()"`\u3001\u3002\uff08\uff09\uff1b') | _COMMAS
_EASY_STARTS = _EASY_ENDS | {"\uff1a"}
_MARKS = 7
"""Characters that a canonical form has more than the folded one."""
_WIDEST = 18
"""Characters that one character folds to at most (NFKD of U+FDFA)."""


class _Text(msgspec.Struct, eq=False, gc=False):
    """A text of the operator or a user. at: its event. is_first: the agent had introduced nothing
    before. inside: read as far as needed."""

    at: int
    text: str
    is_first: bool
    inside: Text

    def says(self, value: str, key: str) -> bool:
        """Tell whether the text says a value as a whole. key: its canonical form."""
        return self.inside.says(value, key)

    def lines(self) -> list[Line]:
        """Return what each line of the text says."""
        return self.inside.lines()

    def says_plainly(self, value: str) -> bool:
        """Tell, fast, whether an identifier with a letter stands in the text between spaces.
        False means that it has to be looked for properly."""
        text = self.text
        start = text.find(value) if self.is_first else -1
        if start < 0 or (start and text[start - 1] not in _EASY_STARTS):
            return False
        end = start + len(value)
        after = text[end : end + 2]
        if after[:1] in _EASY_ENDS:
            return after[:1] not in _COMMAS or not after[1:].isdigit()
        return after in ("", ".", ". ", ".\n", ": ")


class Said:
    """What was said so far, by whom. Written to as events come; asking changes nothing.

    raw: strings that records hold, as they are, by the event that said them first.
    """

    __slots__ = (
        "_folded", "_introduced", "_longest",
        "_numbers",  "_seen", "_sink_names", "_sinks",
        "_spoken", "_texts", "_uttered", "_written", "raw",
    )  # fmt: skip

    def __init__(self, sink_names: frozenset[str]) -> None:
        """Start with nothing said. sink_names: fields that say where something goes."""
        self._texts: list[_Text] = []
        self.raw: dict[str, int] = {}
        self._folded: dict[str, int] = {}
        self._seen = 0
        self._longest = 0
        self._numbers: dict[str, int] = {}
        self._sink_names = sink_names
        self._sinks: dict[str, set[str]] = {}
        self._introduced: dict[str, int] = {}
        self._spoken: list[tuple[int, str]] = []
        self._uttered = ""
        self._written: set[str] = set()

    # what is said

    def add_text(self, at: int, text: str) -> None:
        """Take a text of the operator or a user."""
        is_first = not self._introduced and not self._spoken
        self._texts.append(_Text(at, text, is_first, Text(text)))

    def add_strings(self, at: int, fields: Iterable[tuple[str, str]], record: str) -> None:
        """Take strings of a record, by field. record: its id, or empty."""
        raw, sink_names = self.raw, self._sink_names
        is_wary = bool(self._introduced)
        for field, value in fields:
            is_sink = field in sink_names
            if value in raw and not is_sink:
                continue
            if is_wary and self._is_echo(canonical(value), record, raw.get(value, at)):
                continue
            if value not in raw:
                raw[value] = at
            # WHY more: a value may have been said as something else, and so not be introduced
            if is_sink and not (is_wary and self._is_uttered(value, record)):
                self._sinks.setdefault(field, set()).add(value)

    def _is_uttered(self, value: str, record: str) -> bool:
        is_foreign = not record or record in self._written
        return is_foreign and canonical(value) in self._uttered

    def add_integer(self, at: int, value: int, currency: str, record: str) -> None:
        """Take an integer of a record. currency: of the record, or empty when it has none."""
        key = integer_key(value)
        if self._introduced and self._is_echo(key, record, at):
            return
        self._numbers.setdefault(key, at)
        if currency:
            self._numbers.setdefault(currency + key, at)

    def _is_echo(self, key: str, record: str, since_known: int) -> bool:
        """Tell whether a value came from the agent, as far as the record tells.

        since_known: event at which another record said it just so, or the present one.
        """
        is_foreign = not record or record in self._written
        if is_foreign and key in self._introduced:
            return True
        # INVARIANT: every value of a text is part of its folded form, but for the forms with a
        # mark of their own
        may_be_spoken = bool(self._spoken) and since_known >= self._spoken[0][0]
        if may_be_spoken and (key in self._uttered or key[:1] in "#@" or " " in key):
            self._read_spoken()
        since = self._introduced.get(key)
        if since is None:
            return False
        return is_foreign or not self._says(record, canonical(record), since)

    # what the agent introduced

    def introduce(self, at: int, value: str) -> None:
        """Take note that the agent used a string that nobody had said, and so of every value in it
        that nobody had."""
        key = canonical(value)
        if key:
            self._introduced.setdefault(key, at)
            self._uttered += (fold(value) if key[0] == "@" or " " in key else key) + " "
            self._spoken.append((at, value))

    def introduce_integer(self, at: int, value: int) -> None:
        """Take note that the agent used an integer that nobody had said."""
        self._introduced.setdefault(integer_key(value), at)

    def write(self, records: Iterable[str]) -> None:
        """Take note of records, by id, that a call of the agent wrote or may have written."""
        self._written.update(records)

    def _read_spoken(self) -> None:
        spoken, self._spoken = self._spoken, []
        for at, value in spoken:
            keys: set[str] = set()
            for line in Text(value).lines():
                keys.update(line.money)
                keys.update([key for key in line.values if not self._has_key(key, at)])
                keys.update([key for key in line.counts if not self._has_count(key, at)])
            for key in keys:
                if key:
                    self._introduced.setdefault(key, at)

    # who said it

    def _until(self, before: int) -> Iterator[_Text]:
        for text in self._texts:
            if text.at >= before:
                return
            yield text

    def _is_barred(self, text: _Text, key: str) -> bool:
        if text.is_first:
            return False
        if self._spoken:
            self._read_spoken()
        return self._introduced.get(key, text.at) < text.at

    def _says(self, value: str, key: str, before: int) -> bool:
        """Tell whether a value had been said before an event."""
        if self._fold_pending().get(key, before) < before:
            return True
        return any(self._text_says(each, value, key) for each in self._until(before))

    def _text_says(self, text: _Text, value: str, key: str) -> bool:
        return text.says(value, key) and not self._is_barred(text, key)

    def _has_key(self, key: str, before: int) -> bool:
        if self._fold_pending().get(key, before) < before:
            return True
        return any(
            any(key in line.values for line in text.lines()) and not self._is_barred(text, key)
            for text in self._until(before)
        )

    def _has_count(self, key: str, before: int) -> bool:
        if self._numbers.get(key, before) < before:
            return True
        return any(key in line.counts for text in self._until(before) for line in text.lines())

    def _fold_pending(self) -> dict[str, int]:
        raw = self.raw
        if self._seen < len(raw):
            for value, at in islice(raw.items(), self._seen, None):
                key = canonical(value)
                if key:
                    self._folded.setdefault(key, at)
                length = len(value) if value.isascii() else _WIDEST * len(value)
                self._longest = max(self._longest, length)
            self._seen = len(raw)
        return self._folded

    def _may_be_folded(self, key: str) -> bool:
        """Tell whether a form is short enough to be of a record's string."""
        longest = self._longest
        if len(key) > longest and self._seen < len(self.raw):
            longest = _WIDEST * max(map(len, self.raw))
        return len(key) <= longest + _MARKS

    def has(self, value: str, sink: str = "") -> bool:
        """Tell whether somebody who may vouch said a string as a whole.

        sink: name of the field that it goes to, when it says where something goes.
        """
        if not value:
            return True
        by_field = self._sinks.get(sink) if sink else None
        if value in (self.raw if by_field is None else by_field):
            return True
        if value.isascii() and value.upper() != value.lower():  # there is a letter in it
            for text in self._texts:
                if text.says_plainly(value):
                    return True
        key = canonical(value)
        if not key:
            return False
        if by_field is None:
            if self._may_be_folded(key) and key in self._fold_pending():
                return True
        elif any(canonical(each) == key for each in by_field):
            return True
        return any(self._text_says(text, value, key) for text in self._texts)

    def has_amount(self, value: int, currency: str) -> bool:
        """Tell whether somebody who may vouch said an amount of a currency, in minor units."""
        key = integer_key(value, currency)
        if key in self._numbers:
            return True
        return any(
            any(key in line.money for line in text.lines()) and not self._is_barred(text, key)
            for text in self._texts
        )

    def has_integer(self, value: int) -> bool:
        """Tell whether somebody who may vouch said an integer that is no amount."""
        key = integer_key(value)
        if key in self._numbers:
            return True
        return any(
            any(key in line.counts for line in text.lines()) and not self._is_barred(text, key)
            for text in self._texts
        )

    def names(self, value: str) -> bool:
        """Tell whether a record holds a value, however it is spelt."""
        return value in self.raw or canonical(value) in self._fold_pending()
