"""A family is found by listing its folder, and a badly written one is refused."""

from __future__ import annotations

import importlib
import re
import shutil
import sys
from pathlib import Path

import pytest

from undersigned.core.errors import UsageError
from undersigned.worlds import families, family
from undersigned.worlds.family import code_digest, family_names, load_family

PAYMENTS = Path(families.__file__).parent / "payments"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Put a copy of the payments family, called ``copied``, beside the shipped ones."""
    root = tmp_path / "extra_families"
    shutil.copytree(PAYMENTS, root / "copied", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "__init__.py").write_text('"""Families of a test."""\n')
    for file in (root / "copied").glob("*.py"):
        text = file.read_text("utf-8")
        file.write_text(
            text.replace("undersigned.worlds.families.payments", "extra_families.copied"), "utf-8"
        )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(family, "FAMILIES", "extra_families")
    importlib.invalidate_caches()
    load_family.cache_clear()
    code_digest.cache_clear()
    yield root / "copied"
    load_family.cache_clear()
    code_digest.cache_clear()
    for name in [n for n in sys.modules if n.startswith("extra_families")]:
        del sys.modules[name]


def test_family_names__are_the_folders_with_tasks():
    assert "payments" in family_names()
    assert list(family_names()) == sorted(family_names())
    assert not [name for name in family_names() if name.startswith("_")]


def test_load_family__payments__has_its_parts_and_the_three_common_tools():
    found = load_family("payments", ("en",))
    assert re.fullmatch(r"\d+-[A-Z]", found.version)
    assert found.title.endswith((".", "?"))
    assert {"ask_user", "escalate", "report"} <= set(found.tools)
    assert {"ask_user", "escalate", "report"}.isdisjoint(t.name for t in found.own_tools())
    assert len(found.own_tools()) == len(found.tools) - 3
    assert all(maker.rule and maker.asi and maker.measure for maker in found.hazards.values())
    assert all(maker.summary.endswith(".") for maker in found.hazards.values())


def test_load_family__a_folder_more__is_a_family_more(folder):
    assert family_names() == ("copied",)
    assert set(load_family("copied", ("en",)).tools) >= {"release_payment", "report"}


@pytest.mark.parametrize(
    ("file", "edit"),
    [
        ("__init__.py", lambda text: text.replace("VERSION", "EDITION")),
        ("tools.py", lambda text: "from extra_families.copied.state import State\n"),
        ("hazards.py", lambda text: '"""Nothing goes wrong."""\n'),
    ],
    ids=["no version", "no tools", "no hazards"],
)
def test_load_family__a_part_missing__is_refused(folder, file, edit):
    path = folder / file
    path.write_text(edit(path.read_text("utf-8")), "utf-8")
    if file == "tools.py":
        for other in ("tasks.py", "hazards.py"):
            (folder / other).write_text('"""Empty."""\n')
    with pytest.raises(UsageError) as raised:
        load_family("copied", ("en",))
    assert raised.value.code == "E-WLD-001"


@pytest.mark.parametrize("file", ["tools.py", "texts/en.ftl", "__init__.py"])
def test_code_digest__one_letter_more__is_another(folder, file):
    before = code_digest("copied")
    code_digest.cache_clear()
    assert code_digest("copied") == before
    code_digest.cache_clear()
    with (folder / file).open("a", encoding="utf-8") as out:
        out.write("# x\n")
    assert code_digest("copied") != before


@pytest.mark.parametrize("name", ["task", "hazard"])
def test_family__unknown_part__is_named_with_the_nearest(name):
    found = load_family("payments", ("en",))
    with pytest.raises(UsageError, match="E-WLD-004") as raised:
        getattr(found, name)("pay-matching-invoise" if name == "task" else "border-leek")
    assert raised.value.fields["known"].startswith(("pay-matching-invoice", "border-leak"))
