"""The command line: one file per verb, which parses, calls and prints.

A file in this folder that defines ``command`` is a verb, named like the file. Its docstring's
first line is its help; a docstring line ``Example: undersigned ...`` leads the top-level help.
Adding a verb adds one file and edits nothing else.
"""
