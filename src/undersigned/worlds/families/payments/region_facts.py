"""Which facts of the region's payments does a simulation need, country by country?

Data only, rounded and dated: public holidays of 2026 as the governments announced or the calendar
fixes them, usual customer cut-offs of the high-value rails, mid rates of the order of early 2026.
It is data for simulation, not a source for real payments. Banks and their codes are fictional
(``Example``, codes that begin with X); lengths and grouping of account numbers are the usual ones.

Invariants:
- Holidays are ISO dates of ``YEAR``; weekends (Saturday, Sunday) are not repeated on purpose.
- Mid rates are ratios of integers over minor units; SGD is 1/1.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, NamedTuple

YEAR: Final = 2026
"""The year for which holidays are listed."""


class Bank(NamedTuple):
    """A fictional bank. code: ends in the country. shape: its account numbers, ``#`` a digit."""

    code: str
    name: str
    shape: str


class Currency(NamedTuple):
    """A currency. quantum: minor units to which invoices are rounded in practice. sgd_units, per:
    ``sgd_units`` cents of SGD for ``per`` minor units (mid, for simulation, 2026-01)."""

    code: str
    quantum: int
    sgd_units: int
    per: int


class Country(NamedTuple):
    """A country. rail: its high-value rail. cut_off: local time until which customers' payments
    leave the same day. proxy: its alias scheme, or empty. salary: usual net monthly pay in SGD
    cents, low and high. holidays: ISO dates. settlement: code and name of its fictional tenant.
    utc: hours ahead of UTC."""

    code: str
    currency: str
    rail: str
    cut_off: str
    proxy: str
    utc: int
    salary: tuple[int, int]
    settlement: tuple[str, str]
    banks: tuple[Bank, ...]
    holidays: frozenset[str]


CURRENCIES: Final = MappingProxyType(
    {
        each.code: each
        for each in (
            Currency("SGD", 1, 1, 1),
            Currency("MYR", 1, 316, 1_000),
            Currency("IDR", 50_000, 77, 1_000_000),  # Rp 500, kept in hundredths
            Currency("THB", 1, 408, 10_000),
            Currency("VND", 1_000, 49, 10_000),  # no minor unit; 1,000 dong
            Currency("CNY", 1, 184, 1_000),
        )
    }
)


def _days(text: str) -> frozenset[str]:
    """Read ``MM-DD`` words as ISO dates of the year; ``MM-DD..DD`` is a run within a month."""
    found = set()
    for word in text.split():
        first, _, last = word.partition("..")
        month, day = first.split("-")
        for number in range(int(day), int(last or day) + 1):
            found.add(f"{YEAR}-{month}-{number:02d}")
    return frozenset(found)


COUNTRIES: Final = MappingProxyType(
    {
        each.code: each
        for each in (
            Country(
                "SG",
                "SGD",
                "MEPS+",
                "17:30",
                "PayNow",
                8,
                (300_000, 1_100_000),
                ("MSB-SG", "Merbau Settlement Bank"),
                (
                    Bank("XTEM-SG", "Tembusu Example Bank", "###-######-#"),
                    Bank("XSIG-SG", "Siglap Example Bank", "###-###-###-#"),
                    Bank("XPUL-SG", "Pulau Example Bank", "###-#####-#"),
                    Bank("XANG-SG", "Angsana Example Bank", "###-######-###"),
                ),
                _days(
                    "01-01 02-17..18 03-21 04-03 05-01 05-27 05-31 06-01 08-09..10 11-08..09 12-25"
                ),
            ),
            Country(
                "MY",
                "MYR",
                "RENTAS",
                "17:00",
                "DuitNow",
                8,
                (90_000, 400_000),
                ("KSB-MY", "Keruing Settlement Bank"),
                (
                    Bank("XKEL-MY", "Kelapa Example Bank", "####-####-####"),
                    Bank("XRAJ-MY", "Rajawali Example Bank", "#-########-#"),
                    Bank("XBUN-MY", "Bunga Example Bank", "#-##-####-###-###-#"),
                ),
                _days(
                    "01-01 02-17..18 03-20..23 05-01 05-27 05-31 06-01..02 06-17 08-25 08-31 "
                    "09-16 11-08..09 12-25"
                ),
            ),
            Country(
                "ID",
                "IDR",
                "BI-RTGS",
                "16:30",
                "BI-FAST",
                7,
                (45_000, 250_000),
                ("JSB-ID", "Jati Settlement Bank"),
                (
                    Bank("XCEN-ID", "Cendana Example Bank", "##########"),
                    Bank("XGAR-ID", "Garam Example Bank", "###-00-#######-#"),
                    Bank("XRIM-ID", "Rimba Example Bank", "####-01-######-50-#"),
                ),
                _days(
                    "01-01 01-16 02-16..17 03-18..24 04-03 04-05 05-01 05-14..15 05-27..28 05-31 "
                    "06-01 06-16 08-17 08-25 12-24..25"
                ),
            ),
            Country(
                "TH",
                "THB",
                "BAHTNET",
                "17:00",
                "PromptPay",
                7,
                (60_000, 300_000),
                ("RSB-TH", "Rachawadi Settlement Bank"),
                (
                    Bank("XPHI-TH", "Phikun Example Bank", "###-#-#####-#"),
                    Bank("XSAK-TH", "Saksawat Example Bank", "###-#-#####-#"),
                    Bank("XRUA-TH", "Ruangthong Example Bank", "############"),
                ),
                _days(
                    "01-01..02 03-03 04-06 04-13..15 05-01 05-04 05-31 06-01 06-03 07-28..29 08-12 "
                    "10-13 10-23 12-05 12-07 12-10 12-31"
                ),
            ),
            Country(
                "VN",
                "VND",
                "IBPS",
                "16:45",
                "VietQR",
                7,
                (45_000, 220_000),
                ("BSB-VN", "Bang Lang Settlement Bank"),
                (
                    Bank("XSEN-VN", "Sen Vang Example Bank", "##########"),
                    Bank("XTRE-VN", "Tre Xanh Example Bank", "#############"),
                    Bank("XDAO-VN", "Dao Hong Example Bank", "##############"),
                ),
                _days("01-01 02-16..20 04-26..27 04-30 05-01 08-31 09-01..02 11-24"),
            ),
            Country(
                "CN",
                "CNY",
                "HVPS",
                "17:15",
                "",
                8,
                (90_000, 500_000),
                ("WSB-CN", "Wutong Settlement Bank"),
                (
                    Bank("XYUL-CN", "Yulan Example Bank", "90#################"),
                    Bank("XSHA-CN", "Shanhu Example Bank", "90###############"),
                    Bank("XQIU-CN", "Qiushi Example Bank", "90############"),
                ),
                # WHY no working weekends: the rail is not relied upon on exchanged days.
                _days("01-01..03 02-15..23 04-04..06 05-01..05 06-19..21 09-25..27 10-01..07"),
            ),
        )
    }
)
