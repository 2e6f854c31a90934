"""Ways in: the channels through which a text reaches an agent.

Knows worlds and languages; knows nothing of the engine or of agents.
"""
