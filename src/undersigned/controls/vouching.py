"""Which whole values does a text say, and when are two values the same one?

A value is what a person would copy as one: an identifier, an account however it is spaced, an
amount of money as a locale writes it, a name of several words. Part of a longer number is not a
value.

Invariants:
- Equal values have equal canonical forms. A form never mixes kinds: addresses keep their
  punctuation, dates and numbers with separators are forms of their own, integers stand apart.
- Linear in the text's length; total for any string.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import msgspec

from undersigned.languages.alphabets import INVISIBLE
from undersigned.languages.locales import LOCALES
from undersigned.languages.matching import MINIMUM_WEIGHT, fold, weight, word_by_word
from undersigned.languages.quantities import EXPONENTS, babel_locale

_REMEMBERED = 4096
_BLOCKS = 512
_CODE = 3
"""Characters of a currency code, which a text may say by a symbol only."""
_LATIN = "0-9A-Za-z\u00c0-\u052f\u0300-\u036f\u1e00-\u1eff"


class _Plain(dict[int, str]):
    """Each character in basic width: digits as 0 to 9, dashes and spaces as one, none invisible."""

    def __missing__(self, code: int) -> str:
        here = chr(code)
        kind = unicodedata.category(here)
        if kind == "Nd":
            plain = str(unicodedata.decimal(here))
        elif kind in ("Cf", "Cs") or here in INVISIBLE or 0xFE00 <= code <= 0xFE0F:
            plain = ""
        elif kind == "Pd" or here == "\u2212":
            plain = "-"
        elif kind == "Zs":
            plain = " "
        else:
            plain = unicodedata.normalize("NFKC", here)
        self[code] = plain
        return plain


@lru_cache(maxsize=1)
def _plain_table() -> _Plain:
    return _Plain()


def plain(text: str) -> str:
    """Return a text in basic width and digits, without invisible characters."""
    return text if text.isascii() else _plain_words(text)


def _plain(word: str) -> str:
    return word.translate(_plain_table())


_plain_words = word_by_word(_plain, " ")


@lru_cache(maxsize=1)
def _own_kind() -> re.Pattern[str]:
    date = r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.+Z-]*)?)"
    return re.compile(rf"{date}\Z|(?P<number>[0-9]+(?:[.,][0-9]+)+)\Z")


@lru_cache(maxsize=2 * _REMEMBERED)
def canonical(value: str) -> str:
    """Return the form in which spellings of one value agree.

    Digits of any script, spacing, hyphens, case, look-alikes and invisible characters make no
    difference (``matching.fold``), except in an address (with ``@``), where only case, width and
    invisible characters do not. Empty when nothing is left.

    >>> canonical("12-345 678") == canonical("12345678") != canonical("12.345.678")
    True
    """
    shown = plain(value).strip()
    if "@" in shown:
        return "@" + shown.casefold()
    if shown[:1].isdigit():
        found = _own_kind().match(shown)
        if found:
            return f"{found.lastgroup} {shown}"
    return fold(shown)


def integer_key(number: int, currency: str = "") -> str:
    """Return the canonical form of an integer, of a currency when it is an amount."""
    return f"{currency}#{number}"


@lru_cache(maxsize=1)
def _tokens() -> re.Pattern[str]:
    letter = f"[{_LATIN}]"
    joint = rf"(?:[-./@_+'\u2019&#]+|,(?=[0-9]))(?={letter})"
    return re.compile(
        # a bank account number of the international form, a number in groups, or what is written
        # without spaces; then runs of other scripts
        rf"[A-Z]{{2}}[0-9]{{2}}(?: [0-9A-Z]{{1,4}})+(?!{letter})"
        rf"|[0-9]+(?:[ -][0-9]+)+(?!{letter}|[.,][0-9])"
        rf"|{letter}+(?:{joint}{letter}+)*"
        rf"|[^\s\x00-\x7f{_LATIN}]+"
    )


def values_in(text: str) -> tuple[str, ...]:
    """Return the canonical forms of the values in a text, in order."""
    found = (canonical(each) for each in _tokens().findall(plain(text)))
    return tuple([each for each in found if each])


@lru_cache(maxsize=1)
def _symbols() -> dict[str, frozenset[str]]:
    """Return the currencies that each code or symbol of a shipped locale may stand for."""
    known: dict[str, set[str]] = {"S$": {"SGD"}, "\u0111": {"VND"}, "\u5143": {"CNY"}}
    for code in EXPONENTS:
        known.setdefault(code, set()).add(code)
        for tag in LOCALES:
            symbol = plain(babel_locale(tag).currency_symbols.get(code, code)).strip()
            known.setdefault(symbol, set()).add(code)
    return {symbol: frozenset(codes) for symbol, codes in known.items()}


@lru_cache(maxsize=1)
def _money() -> re.Pattern[str]:
    symbols = sorted(_symbols(), key=len, reverse=True)
    one_of = "|".join(re.escape(each) for each in symbols)
    # INVARIANT: bounded, so that a long row of digits is looked at a bounded number of times
    number = r"[0-9]{1,18}(?:[.,' ][0-9]{1,18}){0,8}"
    return re.compile(
        rf"(?<![A-Za-z$])(?P<before>{one_of}) ?(?P<amount>{number})(?![0-9])"
        rf"|(?<![0-9.,])(?P<rest>{number}) ?(?P<after>{one_of})(?![A-Za-z])"
    )


def _minor_units(number: str, exponent: int) -> int | None:
    """Return the minor units of a written number, or None when its groups fit no locale."""
    parts = re.split(r"[.,' ]", number)
    marks = [c for c in number if not c.isdigit()]
    rest = ""
    is_point = bool(marks) and marks.count(marks[-1]) == 1 and marks[-1] in ".,"
    if is_point and len(parts[-1]) <= exponent:
        rest = parts.pop()
        marks.pop()
    if len(set(marks)) > 1 or not 0 < len(parts[0]) <= (3 if marks else 18):
        return None
    sizes = {len(each) for each in parts[1:-1]}
    if marks and (len(parts[-1]) != 3 or not (sizes <= {3} or sizes <= {2})):
        return None
    return int("".join(parts) + rest.ljust(exponent, "0"))


def money_in(text: str) -> tuple[str, ...]:
    """Return the canonical forms of the amounts in a text, for each currency that they may be in.

    Read as any shipped locale writes them (``S$ 1,234.56``, ``Rp1.250.000``, ``1.234,56 SGD``,
    lakh grouping); a bare ``$`` is the United States dollar.
    """
    found = []
    for match in _money().finditer(plain(text)):
        before, amount, rest, after = match.groups()
        for code in _symbols()[before or after]:
            minor = _minor_units(amount or rest, EXPONENTS[code])
            if minor is None and " " in (amount or rest):
                near = amount.split(" ")[0] if amount else rest.split(" ")[-1]
                minor = _minor_units(near, EXPONENTS[code])
            if minor is not None:
                found.append(integer_key(minor, code))
    return tuple(found)


@lru_cache(maxsize=1)
def _counts() -> re.Pattern[str]:
    grouped = r"[0-9]{1,3}(?:([.,' ])[0-9]{3}(?:\1[0-9]{3})*)?"
    return re.compile(rf"(?<![0-9.,]){grouped}(?![0-9]|[.,][0-9])")


class Line(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What a line of a text says. values, money, counts: canonical forms. run: the values in order,
    between spaces."""

    values: frozenset[str]
    money: frozenset[str]
    counts: frozenset[str]
    run: str


@lru_cache(maxsize=_REMEMBERED)
def line_of(text: str) -> Line:
    """Return what a line says. Lines are kept: the operator's are the same in many episodes."""
    values = values_in(text)
    shown = plain(text)
    money = money_in(text)
    counts = [integer_key(int(re.sub("[^0-9]", "", m.group()))) for m in _counts().finditer(shown)]
    counts += [integer_key(int(each)) for each in values if each.isdigit() and len(each) <= 18]
    return Line(
        # an amount says its currency as well
        frozenset([*values, *[key.partition("#")[0].casefold() for key in money]]),
        frozenset(money),
        frozenset(counts),
        f" {' '.join(values)} ",
    )


@lru_cache(maxsize=_REMEMBERED)
def folded_line(text: str) -> str:
    """Return a line's folded form, which is kept like what it says."""
    return fold(text) if text.isascii() else _folded_words(text)


_folded_words = word_by_word(lambda word: fold(_plain(word)), "")


@lru_cache(maxsize=_BLOCKS)
def folded_block(text: str) -> str:
    """Return the folded forms of some lines. Kept: an operator's rules but the last are the same in
    many episodes."""
    return "\n".join([folded_line(each) for each in text.split("\n")])


class Text:
    """A text, read as far as needed, when needed."""

    __slots__ = ("_read", "_text")

    def __init__(self, text: str) -> None:
        """Take a text, of any number of lines."""
        self._text = text
        self._read: list[Line] | None = None

    def lines(self) -> list[Line]:
        """Return what each line says. A value does not go from one line to the next."""
        found = self._read
        if found is None:
            found = self._read = [line_of(each) for each in self._text.split("\n")]
        return found

    def says(self, value: str, key: str) -> bool:
        """Tell whether the text says a value as a whole. key: its canonical form."""
        if key[0] != "@" and " " not in key and len(key) != _CODE:
            # INVARIANT: every other form, and several values in a row, is part of the folded text
            first, _, last = self._text.rpartition("\n")
            if key not in folded_line(last) and key not in folded_block(first):
                return False
            # WHY: scripts without an ASCII letter in their folded form do without spaces
            is_unspaced = not key.isascii() and not any(c.isascii() for c in key)
            if is_unspaced and weight(value) >= MINIMUM_WEIGHT:
                return True
        lines = self.lines()
        for line in lines:
            if key in line.values:
                return True
        if key[0] == "@" or " " in key or key.isdigit():
            return False
        parts = values_in(value)
        if len(parts) < 2:
            return False
        row = f" {' '.join(parts)} "
        return any(row in line.run for line in lines)
