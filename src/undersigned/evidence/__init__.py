"""Evidence: Merkle log, signed notes, statements, keys, trust, dossiers, the stand-alone verifier.

Knows bytes, digests, signatures and positions; knows nothing of what statements mean. What is
proven is who signed which bytes and in which order they were logged, never that they are true.
"""
