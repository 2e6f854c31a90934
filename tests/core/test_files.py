"""A file appears whole or not at all, and what stood there before survives every failure."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from undersigned.core.errors import StorageError
from undersigned.core.files import read_file, write_file

OLD = b"what stood there before"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "kept.json"
    write_file(path, OLD)
    return path


def beside(path):
    """Return the name under which this process writes before it renames."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def assert_untouched(path):
    assert path.read_bytes() == OLD
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_write_file__new_name_in_new_folders__appears_whole(tmp_path):
    path = tmp_path / "a" / "b" / "c.bin"
    data = os.urandom(1 << 20)
    write_file(path, data)
    assert read_file(path) == data
    assert [p.name for p in path.parent.iterdir()] == ["c.bin"]


def test_write_file__over_another__replaces_it(path):
    write_file(path, b"new")
    assert path.read_bytes() == b"new"


def test_write_file__mode__is_that_of_the_file(tmp_path):
    write_file(tmp_path / "key", b"secret", mode=0o600)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_write_file__over_a_link__replaces_the_link_and_not_its_target(path):
    link = path.with_name("link")
    link.symlink_to(path)
    write_file(link, b"new")
    assert not link.is_symlink()
    assert path.read_bytes() == OLD


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_write_file__disk_is_full__leaves_the_earlier_file(path):
    beside(path).symlink_to("/dev/full")
    with pytest.raises(StorageError, match="No space left") as raised:
        write_file(path, b"new")
    assert raised.value.code == "E-COR-004"
    assert_untouched(path)


def test_write_file__write_fails_half_way__leaves_the_earlier_file(path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    kept = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(StorageError, match="E-COR-004"):
            write_file(path, b"x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, kept)
    assert_untouched(path)


def test_write_file__name_is_taken_by_a_folder__leaves_the_folder(tmp_path):
    folder = tmp_path / "folder"
    (folder / "in").mkdir(parents=True)
    with pytest.raises(StorageError, match="E-COR-004"):
        write_file(folder, b"new")
    assert (folder / "in").is_dir()
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write in a read-only folder")
def test_write_file__folder_is_read_only__leaves_the_earlier_file(path):
    path.parent.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="E-COR-004"):
            write_file(path, b"new")
    finally:
        path.parent.chmod(0o700)
    assert_untouched(path)


BADLY_NAMED = {
    "a folder that is a file": lambda folder: folder / "kept.json" / "x",
    "a name that is too long": lambda folder: folder / ("n" * 300),
}


@pytest.mark.parametrize("what", BADLY_NAMED)
def test_write_file__path_that_cannot_be__is_a_storage_error(path, what):
    with pytest.raises(StorageError, match="E-COR-004"):
        write_file(BADLY_NAMED[what](path.parent), b"new")


def test_write_file__killed_at_any_moment__leaves_the_old_or_the_new_file(path):
    code = """
        import sys
        from pathlib import Path
        from undersigned.core.files import write_file
        path = Path(sys.argv[1])
        print("ready", flush=True)
        while True:
            for letter in (b"a", b"b"):
                write_file(path, letter * 300_000)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(path)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": "src"})
    assert run.stdout is not None
    run.stdout.readline()
    while path.read_bytes() == OLD:
        pass
    run.kill()
    run.wait()
    run.stdout.close()
    assert path.read_bytes() in (b"a" * 300_000, b"b" * 300_000)


def test_read_file__missing__says_which_and_what_to_do(tmp_path):
    with pytest.raises(StorageError) as raised:
        read_file(tmp_path / "absent.json")
    assert raised.value.code == "E-COR-005"
    assert "absent.json" in raised.value.remedy


def test_read_file__folder__is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="E-COR-005"):
        read_file(tmp_path)


def test_read_file__missing__shows_the_path_as_a_person_would_type_it(tmp_path):
    with pytest.raises(StorageError) as raised:
        read_file(tmp_path / "absent.json")
    assert raised.value.fields["path"] == str(tmp_path / "absent.json")
