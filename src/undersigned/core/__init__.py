"""Ground floor: canonical bytes, digests, strict decoding, random streams, clocks, errors.

Knows no domain noun and imports nothing of this project.
"""
