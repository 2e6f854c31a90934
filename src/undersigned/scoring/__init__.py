"""What do graded episodes show: outcomes, estimates with intervals, claims, budgets, summary.

Cheap to import: ``outcomes``, ``results``, ``figures``, ``claims``, ``problems``. The others load
numpy and scipy: ``binomial``, ``estimates``, ``graph``, ``verdicts``, ``budgets``, ``measures``,
``summary``.
"""
