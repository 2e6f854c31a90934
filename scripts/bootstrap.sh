# Make .venv ready, once. Sourced by ./demo, ./check and ./bench; needs python3, 3.11 or newer.
#
#   root=/path/to/checkout; profile=run|dev; . scripts/bootstrap.sh
#
# Installs exactly the hash-pinned files (requirements.txt, or requirements-dev.txt for dev) with
# uv when it is on PATH or can be installed, else with pip, and only when their digest differs
# from the stamp of the last finished install. The project itself is put on the path from where
# it lies: a .pth file and .venv/bin/undersigned, so nothing has to be built.
#
# PYTHON=/path/to/python chooses an interpreter. UV_PYTHON_DOWNLOADS=never: no interpreter is
# ever fetched.

export UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1
venv="$root/.venv"
python="$venv/bin/python"

say() { printf '%s\n' "$*" >&2; }

is_new_enough() { # interpreter
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        if is_new_enough "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    found=$(python3 --version 2>&1 || true)
    say "Undersigned needs Python 3.11 or newer; python3 here is: ${found:-not installed}"
    say "try: install Python 3.11 or newer, or run PYTHON=/path/to/python3.11 $0"
    return 1
}

make_venv() {
    is_new_enough "$python" && return 0
    base=$(find_python) || exit 2
    say "making .venv with $("$base" --version)"
    if command -v uv >/dev/null 2>&1 &&
        uv venv --quiet --clear --seed --python "$base" "$venv" 2>/dev/null; then
        return 0
    fi
    # Without pip, which takes longest: uv is put there by the interpreter's own pip.
    "$base" -m venv --clear --without-pip "$venv" && return 0
    say "a virtual environment could not be made"
    say "try: install the venv module of your Python (on Debian: apt-get install python3-venv)"
    exit 2
}

pip_for_venv() { # arguments: runs pip for .venv, its own if it has one
    if "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m pip "$@"
    else
        "$(find_python)" -m pip --python "$python" "$@"
    fi
}

find_uv() {
    if command -v uv >/dev/null 2>&1; then
        command -v uv
    elif [ -x "$venv/bin/uv" ] || pip_for_venv install --quiet --retries 1 --timeout 15 \
        --require-hashes --requirement "$root/requirements-uv.txt" >/dev/null 2>&1; then
        echo "$venv/bin/uv"
    fi
}

install_pinned() { # requirements file
    uv=$(find_uv || true)
    if [ -n "$uv" ]; then
        say "installing $(basename "$1") with uv"
        "$uv" pip install --quiet --python "$python" --require-hashes \
            --requirement "$1" && return 0
        say "uv did not succeed; trying pip"
    fi
    say "installing $(basename "$1") with pip (about half a minute)"
    "$python" -m ensurepip --upgrade >/dev/null 2>&1 || true
    pip_for_venv install --quiet --require-hashes --requirement "$1" && return 0
    say "the pinned packages could not be installed"
    say "try: check the network or your package mirror, then run $0 again"
    exit 2
}

install_project() {
    "$python" - "$root" <<'PYTHON'
import pathlib, sys, sysconfig

root = pathlib.Path(sys.argv[1])
site = pathlib.Path(sysconfig.get_path("purelib"))
(site / "undersigned-source.pth").write_text(f"{root / 'src'}\n", encoding="utf-8")
script = root / ".venv" / "bin" / "undersigned"
python = script.with_name("python")
first = f"#!{python}"
if " " in first or len(first) > 127:  # the kernel cuts such a line; the shell does not
    first = f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''"
script.write_text(
    f"{first}\nimport sys\n\nfrom undersigned.cli.main import main\n\nsys.exit(main())\n",
    encoding="utf-8",
)
script.chmod(0o755)
PYTHON
    # Byte-code of what the longest commands import, so that the first is as quick as the second.
    "$python" -c 'import sys; sys.dont_write_bytecode = False
import undersigned.assessment.verification, undersigned.views.report' >/dev/null 2>&1 || true
}

stamp_of() { # profile: what its install depends on, as one line
    case $1 in
    dev) file=requirements-dev.txt ;;
    *) file=requirements.txt ;;
    esac
    printf '%s %s\n' "$root" "$(cat "$root/$file" "$root/scripts/bootstrap.sh" | cksum)"
}

is_ready() { # profile
    [ -x "$python" ] && [ -x "$venv/bin/undersigned" ] && [ -f "$venv/stamp-$1" ] &&
        [ "$(cat "$venv/stamp-$1")" = "$(stamp_of "$1")" ] && "$python" -c '' 2>/dev/null
}

# The dev set holds the run set, so a ready dev environment serves ./demo too.
if ! is_ready dev && { [ "$profile" = dev ] || ! is_ready run; }; then
    make_venv
    rm -f "$venv/stamp-run" "$venv/stamp-dev"
    "$python" -m compileall -q "$root/src" >/dev/null 2>&1 & # while packages are fetched
    compiling=$!
    case $profile in
    dev) install_pinned "$root/requirements-dev.txt" ;;
    *) install_pinned "$root/requirements.txt" ;;
    esac
    wait "$compiling" || true
    install_project
    stamp_of "$profile" >"$venv/stamp-$profile"
fi
