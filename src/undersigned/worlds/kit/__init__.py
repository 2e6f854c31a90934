"""What an author of a family writes with: records, tools, programs, oracles."""
