"""The one event stream: what was opened, observed, proposed, decided, effected, said and ended.

A simulated and a real episode are the same few typed events. Knows nothing of who produces or
reads them.
"""
