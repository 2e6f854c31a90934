"""Is a verb found by its file alone, and read without running it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from undersigned.cli.verbs import Verb, list_verbs, read_verb

SOURCE = '''"""Say hello.

Example: undersigned hello --name Siti
Not an example: undersigned nothing
"""
raise SystemExit("a verb's file was run to read its help")

{definition}
'''


@pytest.mark.parametrize(
    "definition", ["def command() -> int: ...", "command = click.Group()", "command: X = make()"]
)
def test_read_verb__file_that_defines_command__is_read_not_run(
    tmp_path: Path, definition: str
) -> None:
    path = tmp_path / "say_hello.py"
    path.write_text(SOURCE.format(definition=definition))
    example = "undersigned hello --name Siti"
    assert read_verb(path) == Verb("say-hello", "Say hello.", (example,))


@pytest.mark.parametrize(
    "definition", ["def commander(): ...", "    command = 1", "x = command", "# command = 1"]
)
def test_read_verb__file_without_command__is_no_verb(tmp_path: Path, definition: str) -> None:
    path = tmp_path / "output.py"
    path.write_text(SOURCE.format(definition=definition))
    assert read_verb(path) is None


def test_list_verbs__this_package__holds_verbs_and_no_support_files() -> None:
    assert {"doctor", "explain"} <= list_verbs().keys()
    assert not {"main", "output", "progress", "health", "home", "verbs"} & list_verbs().keys()
