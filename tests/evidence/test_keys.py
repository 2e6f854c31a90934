"""Do private keys stay private, and out of what is handed over?"""

from __future__ import annotations

from pathlib import Path

import pytest

from answerable.core.errors import AccessDeniedError, UsageError
from answerable.evidence.keys import create_key, load_key
from answerable.evidence.notes import verify_ed25519


def test_create_key__then_load__signs_under_its_name(tmp_path: Path) -> None:
    path = create_key(tmp_path / "keys", "log", "log.example/a", party="lab")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
    loaded = load_key(path)
    assert (loaded.name, loaded.role, loaded.party) == ("log.example/a", "log", "lab")
    assert verify_ed25519(loaded.public, loaded.sign(b"data"), b"data")
    assert not verify_ed25519(loaded.public, loaded.sign(b"data"), b"dat")
    assert "PRIVATE" not in repr(loaded)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_load_key__others_have_rights__is_refused_with_the_remedy(
    tmp_path: Path, mode: int
) -> None:
    path = create_key(tmp_path, "tester", "lab-tester")
    path.chmod(mode)
    with pytest.raises(AccessDeniedError, match="E-EVD-010") as caught:
        load_key(path)
    assert caught.value.remedy.startswith(f"chmod 600 {path}")


def test_load_key__missing_linked_or_malformed__is_refused_without_quoting_it(
    tmp_path: Path,
) -> None:
    path = create_key(tmp_path, "tester", "lab-tester")
    (tmp_path / "link.pem").symlink_to(path)
    text = path.read_text()
    secret = text.splitlines()[4]
    for name, content in {
        "cut.pem": text[:-60],
        "nameless.pem": text.replace("name:", "nome:"),
        "empty.pem": "",
    }.items():
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o600)
    for name in ("link.pem", "absent.pem", "cut.pem", "nameless.pem", "empty.pem"):
        with pytest.raises(AccessDeniedError, match="E-EVD-011") as caught:
            load_key(tmp_path / name)
        assert secret not in str(caught.value)


def test_create_key__twice_or_inside_a_project_or_ill_named__is_refused(tmp_path: Path) -> None:
    create_key(tmp_path / "keys", "tester", "a")
    with pytest.raises(UsageError, match="E-EVD-012"):
        create_key(tmp_path / "keys", "tester", "a")
    (tmp_path / "way-in").symlink_to(tmp_path / "project")
    (tmp_path / "project").mkdir()
    for folder in (tmp_path / "project", tmp_path / "project" / "keys", tmp_path / "way-in"):
        with pytest.raises(UsageError, match="E-EVD-013"):
            create_key(folder, "tester", "b", forbidden=[tmp_path / "project"])
    assert not list((tmp_path / "project").iterdir())
    for role, name in (("tester", "../a"), ("tester", "A b"), ("boss", "a"), ("tester", "a\n")):
        with pytest.raises(UsageError, match="E-EVD-007"):
            create_key(tmp_path / "keys", role, name)
