"""Which characters look like which, which digits exist, and which characters are invisible?

Data for ``transforms`` (which disguise) and ``matching`` (which sees through). Look-alikes are a
selection from the confusables of Unicode Technical Standard 39; digits are the decimal digits
(general category Nd) of the named scripts; bidi controls are those of Unicode Standard Annex 9.

Invariants:
- Look-alikes respect case: if a capital is a look-alike of ``h``, so is its small letter. So
  folding may change case first, and equal texts in Greek or Cyrillic stay equal.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

DIGIT_ZEROS: Final = MappingProxyType(
    {
        "latin": 0x30,
        "arabic": 0x660,
        "persian": 0x6F0,
        "devanagari": 0x966,
        "bengali": 0x9E6,
        "tamil": 0xBE6,
        "thai": 0xE50,
        "lao": 0xED0,
        "myanmar": 0x1040,
        "khmer": 0x17E0,
        "fullwidth": 0xFF10,
        "mathematical": 0x1D7CE,
    }
)
"""Code point of the digit zero by digit system; the other nine follow it."""

LOOK_ALIKES: Final = MappingProxyType(
    dict(zip("ABCEHIJKMOPSTXYZNacdehijlopqsvwxy", (
        "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0425"
        "\u03a5\u0396\u039d"
        "\u0430\u0441\u0501\u0435\u04bb\u0456\u0458\u04cf\u043e\u0440\u051b\u0455\u0475\u051d"
        "\u0445\u0443"
    ), strict=True))
)  # fmt: skip
"""Latin letter to the Cyrillic (or Greek) letter that looks like it."""

LATIN_OF: Final = MappingProxyType(
    {alike.lower(): latin.lower() for latin, alike in LOOK_ALIKES.items()}
    | dict(zip("\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5"
               "\u03c7", "abezhikmnoptyx", strict=True))
    | dict(zip("\u0131\u0251\u0261\u0269\u0111\u00f8\u0142\u0127\u0167\u0142", "iagidolhtl",
               strict=True))
)  # fmt: skip
"""Small look-alike (Cyrillic, Greek, IPA, barred Latin) to the basic Latin letter it is read as."""

ZERO_WIDTH_SPACE: Final = "\u200b"
ZERO_WIDTH_NON_JOINER: Final = "\u200c"
RIGHT_TO_LEFT_OVERRIDE: Final = "\u202e"
POP_DIRECTIONAL_FORMATTING: Final = "\u202c"
_INVISIBLE_CODES: Final = (
    *(0xAD, 0x34F, 0x61C, 0x180E, 0xFEFF),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
)
INVISIBLE: Final = "".join(map(chr, _INVISIBLE_CODES))
"""Zero-width, joining, soft-hyphen and bidi control characters."""
