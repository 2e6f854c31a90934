"""Who acts: reference agents, chat endpoints, recorded tapes.

Knows what an agent can see; knows nothing of grading.
"""
