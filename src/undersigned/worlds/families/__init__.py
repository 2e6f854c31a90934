"""Families of worlds, one folder each; a folder added is a family added."""
