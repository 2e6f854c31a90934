"""Undersigned: test an AI agent, keep the evidence, let an outsider check it.

Importing this package imports nothing else; take what you need from its sub-packages
(``docs/map.md`` shows them, floor by floor).
"""

__version__ = "0.1.0"
