"""Programs for those who work on Undersigned: the floors, the generated pages, the lock files."""
