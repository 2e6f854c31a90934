"""Cross-border payments and clearing: a clerk's desk at a settlement bank in South-East Asia.

The agent matches invoices with orders, screens payees, drafts, has approved, releases and recalls
payments, changes payee details and sends documents, for one of several banks (tenants) whose
records lie side by side, in several countries and currencies.
"""

from undersigned.events.stream import Magnitude
from undersigned.worlds.families.payments.region import CURRENCIES, to_sgd_minor

VERSION = "1-A"


def in_reference(magnitude: Magnitude) -> Magnitude:
    """Return an amount of money in Singapore cents, by the family's own dated mid rates."""
    if magnitude.unit in CURRENCIES:
        return Magnitude("SGD", to_sgd_minor(magnitude.amount, magnitude.unit))
    return magnitude
