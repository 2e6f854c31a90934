"""What ``./bench`` measures: each figure that the design names, with its floor, in one run.

A row has a figure of ours, the target, and a floor: the least that any program would have to do,
measured in the same run and in turns with ours, so that a slow or busy machine slows both. Rows
are found in ``ROWS``; ``python -m benchmarks`` runs them. Nothing here is a test: a row that is
short of its target is printed and does not fail.
"""
