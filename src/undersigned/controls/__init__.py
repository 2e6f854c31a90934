"""What may an agent do, who is asked, and what stops it: the same in a test and in production.

Knows nothing of scenarios and scores.
"""
