"""Floor 1: which languages are there, what do texts say in them, and how are texts disguised?

- ``locales``: the shipped locales by BCP 47 tag.
- ``quantities``: money and days as exact values, and how each locale writes them.
- ``texts``: the messages of one folder of Fluent files, strictly loaded, rendered fast.
- ``reference``: the same rendering by ``fluent.runtime`` and Babel, for checking.
- ``transforms``: pure total functions that disguise a text (scripts, look-alikes, encodings).
- ``matching``: does a value occur in a text, plainly or disguised?

Knows nothing of models, worlds, attacks or evidence. Importing this package imports nothing.
"""
