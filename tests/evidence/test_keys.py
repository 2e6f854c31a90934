"""Do private keys stay private, and out of what is handed over?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519

from undersigned.core.errors import AccessDeniedError, UndersignedError, UsageError
from undersigned.evidence.keys import KEY_FILE_LIMIT, SCHEMES, create_key, load_key, open_signer
from undersigned.evidence.notes import verify_ed25519


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


def pem_of(key: object, word: bytes = b"") -> str:
    """Return a private key in PKCS#8 PEM, encrypted when there is a word."""
    return key.private_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(word) if word else serialization.NoEncryption(),
    ).decode()


HEAD = "name: a\nrole: tester\nparty: lab\n"
PEM = pem_of(ed25519.Ed25519PrivateKey.from_private_bytes(b"s" * 32))
SECRET = PEM.splitlines()[1]


def private(path: Path, text: str) -> Path:
    path.write_text(text, newline="")
    path.chmod(0o600)
    return path


def test_load_key__good_by_hand__is_read(tmp_path: Path) -> None:
    assert load_key(private(tmp_path / "a.pem", HEAD + PEM)).party == "lab"
    assert load_key(private(tmp_path / "b.pem", "role: log\nname: a\n" + PEM)).party == ""


MALFORMED = {
    "cut": HEAD + PEM[:-30],
    "cut in the middle": HEAD + PEM[:60],
    "no PEM block": HEAD,
    "letters changed": HEAD + PEM.replace("MC4C", "MC4D"),
    "bytes for base64": HEAD + PEM.replace(SECRET, "\x00" * 64),
    "not base64": HEAD + PEM.replace(SECRET, "*" * 64),
    "two keys": HEAD + PEM + PEM,
    "text after it": HEAD + PEM + "party: other\n",
    "a certificate's label": HEAD + PEM.replace("PRIVATE KEY", "CERTIFICATE"),
    "encrypted": HEAD + pem_of(ed25519.Ed25519PrivateKey.generate(), b"word"),
    "RSA": HEAD + pem_of(rsa.generate_private_key(65537, 2048)),
    "X25519": HEAD + pem_of(x25519.X25519PrivateKey.generate()),
    "Ed448": HEAD + pem_of(ed448.Ed448PrivateKey.generate()),
    "P-256": HEAD + pem_of(ec.generate_private_key(ec.SECP256R1())),
    "no header": PEM,
    "no name": "role: tester\n" + PEM,
    "name twice": "name: b\n" + HEAD + PEM,
    "unknown header": HEAD + "use: all\n" + PEM,
    "header without a colon": HEAD + "hello\n" + PEM,
    "name with an escape": HEAD.replace("name: a", "name: a\x1b[31m") + PEM,
    "name with a carriage return": HEAD.replace("name: a", "name: a\rb") + PEM,
    "name in other letters": HEAD.replace("name: a", "name: \u0430") + PEM,
    "name that climbs": HEAD.replace("name: a", "name: ../a") + PEM,
    "party with an escape": HEAD.replace("lab", "\x1b]0;x\x07") + PEM,
    "role that does not exist": HEAD.replace("tester", "boss") + PEM,
    "line ends of another system": (HEAD + PEM).replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + HEAD + PEM,
    "too long in front": "name: " + "a" * KEY_FILE_LIMIT + "\n" + HEAD + PEM,
    "too long behind": HEAD + PEM + "\n" * KEY_FILE_LIMIT,
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_load_key__malformed_or_another_kind__is_refused_without_quoting_it(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(AccessDeniedError, match="E-EVD-011") as caught:
        load_key(private(tmp_path / "key.pem", text))
    shown = str(caught.value)
    assert caught.value.exit_code == 6
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert not any(line in shown for line in text.splitlines() if len(line) > 40)
    assert caught.value.__cause__ is None


def test_load_key__folder_pipe_or_device__is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    for path in (tmp_path / "pipe", tmp_path / "folder", Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(AccessDeniedError, match="E-EVD-011"):
            load_key(path)


def test_create_key__in_a_dossier_reached_by_a_detour__is_refused(tmp_path: Path) -> None:
    dossier = tmp_path / "dossier"
    dossier.mkdir()
    (tmp_path / "link").symlink_to(dossier)
    for folder in (
        dossier / "a" / "..",
        tmp_path / "x" / ".." / "dossier",
        tmp_path / "link" / "k",
    ):
        with pytest.raises(UsageError, match="E-EVD-013"):
            create_key(folder, "log", "a", forbidden=[tmp_path / "other", tmp_path / "link"])
    assert not list(dossier.iterdir())
    beside = create_key(tmp_path / "dossier-keys", "log", "a", forbidden=[dossier])
    assert load_key(beside).role == "log"


def test_create_key__folder_that_is_a_file__is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("")
    with pytest.raises(UndersignedError, match="E-EVD-011"):
        create_key(tmp_path / "keys", "log", "a")


@pytest.mark.parametrize("form", ["{}", "file:{}", "file://{}"])
def test_open_signer__file__is_the_key_that_lies_there(tmp_path: Path, form: str) -> None:
    path = create_key(tmp_path, "tester", "lab-tester", party="lab")
    signer = open_signer(form.format(path))
    assert (signer.name, signer.role, signer.party) == ("lab-tester", "tester", "lab")
    assert verify_ed25519(signer.public, signer.sign(b"data"), b"data")


def test_open_signer__relative_path_with_a_colon__needs_the_scheme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    private(tmp_path / "old:key.pem", HEAD + PEM)
    for reference in ("file:old:key.pem", "./old:key.pem"):
        assert open_signer(reference).name == "a"
    with pytest.raises(UsageError, match="E-EVD-089") as caught:
        open_signer("old:key.pem")
    assert "file:PATH" in caught.value.remedy


@pytest.mark.parametrize("reference", ["pkcs11:token=a;object=b", "awskms:///alias/a", "x\n:y"])
def test_open_signer__other_scheme__is_refused_and_names_those_known(reference: str) -> None:
    with pytest.raises(UndersignedError, match=r"E-EVD-089|E-EVD-011") as caught:
        open_signer(reference)
    if caught.value.code == "E-EVD-089":
        assert caught.value.fields["known"] == ", ".join(f"{name}:" for name in SCHEMES)
        assert caught.value.fields["scheme"] == reference.partition(":")[0]


def test_open_signer__empty__is_refused() -> None:
    for reference in ("", "file:"):
        with pytest.raises(AccessDeniedError, match="E-EVD-011"):
            open_signer(reference)


def test_create_key__disk_full__leaves_no_half_key(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys; from pathlib import Path;"
        "from undersigned.core.errors import StorageError;"
        "from undersigned.evidence.keys import create_key;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))\n"
        "try:\n    create_key(Path(sys.argv[1]), 'log', 'a')\n"
        "except StorageError as error:\n    sys.exit(error.code)"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", program, str(tmp_path)], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.stderr.strip() == "E-EVD-011"
    assert not list(tmp_path.iterdir())
