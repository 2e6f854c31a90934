"""From a system card to a dossier, and from a dossier back to every number in it.

Knows worlds, agents, episodes, scores and evidence; knows nothing of frameworks or duties.
"""
