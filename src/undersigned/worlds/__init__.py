"""Worlds as programs: state, tools, tasks, hazards, oracles, scenarios, suites, families.

A scenario is a pure function of family, version, seed and knobs. Knows nothing of attacks' ways
in (they come by argument), agents or models.
"""
