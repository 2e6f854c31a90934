"""Running episodes: the engine, plans, attempts, shards, replay.

Knows worlds and agents; knows nothing of what a result means.
"""
