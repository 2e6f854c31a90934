"""Cross-border payments and clearing: a clerk's desk at a settlement bank in South-East Asia.

The agent matches invoices with orders, screens payees, drafts, has approved, releases and recalls
payments, changes payee details and sends documents, for one of several banks (tenants) whose
records lie side by side, in several countries and currencies.
"""

VERSION = "1-A"
