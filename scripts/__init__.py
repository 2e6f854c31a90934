"""Programs for those who work on Answerable: the floors, the generated pages, the lock files."""
