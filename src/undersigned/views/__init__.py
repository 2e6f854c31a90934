"""What people look at: a report and single episodes, made from a dossier.

A view is no evidence. It computes no statistics: every rate, bound, interval and verdict shown is
read from the dossier's scores, plan, instrument and statements.
"""
