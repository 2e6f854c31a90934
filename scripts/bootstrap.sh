# Make an environment ready, once. Sourced by ./demo, ./check and ./bench; needs python3, 3.11 or
# newer.
#
#   root=/path/to/checkout; profile=run|dev; . scripts/bootstrap.sh
#
# makes .venv from exactly the hash-pinned files (requirements.txt, or requirements-dev.txt for
# dev); with another profile it makes nothing and only defines `ready`, by which ./check extras
# makes .venv-<part>. Packages are installed with uv when it is on PATH or can be installed, else
# with pip, and only when the stamp of the last finished install differs: checkout, interpreter,
# and the digest of the files. The project itself is put on the path from where it lies: a .pth
# file and bin/undersigned, so nothing has to be built.
#
# PYTHON=/path/to/python chooses an interpreter. UV_PYTHON_DOWNLOADS=never: no interpreter is
# ever fetched.

export UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1
venv="$root/.venv"
python="$venv/bin/python"
interpreter= # of which an environment is made; empty: whichever `find_python` finds

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
    # WHY anew where an interpreter was asked for: the old environment may be of another.
    [ -z "$interpreter" ] && is_new_enough "$python" && return 0
    base=${interpreter:-$(find_python)} || exit 2
    say "making $(basename "$venv") with $("$base" --version)"
    uv=$(known_uv)
    if [ -n "$uv" ] && [ "$uv" != "$venv/bin/uv" ] &&
        "$uv" venv --quiet --clear --seed --python "$base" "$venv" 2>/dev/null; then
        return 0
    fi
    # Without pip, which takes longest: uv is put there by the interpreter's own pip.
    "$base" -m venv --clear --without-pip "$venv" && return 0
    say "a virtual environment could not be made"
    say "try: install the venv module of your Python (on Debian: apt-get install python3-venv)"
    exit 2
}

pip_for_venv() { # arguments: runs pip for the environment, its own if it has one
    if "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m pip "$@"
    else
        "${interpreter:-$(find_python)}" -m pip --python "$python" "$@"
    fi
}

known_uv() {
    for candidate in uv "$venv/bin/uv" "$root/.venv/bin/uv"; do
        command -v "$candidate" 2>/dev/null && return 0
    done
    return 0
}

find_uv() {
    uv=$(known_uv)
    if [ -z "$uv" ] && pip_for_venv install --quiet --retries 1 --timeout 15 \
        --require-hashes --requirement "$root/requirements-uv.txt" >/dev/null 2>&1; then
        uv=$venv/bin/uv
    fi
    echo "$uv"
}

install_pinned() { # requirements files
    names=
    for file; do
        names="$names ${file#"$root"/}"
        set -- "$@" --requirement "$file"
        shift
    done
    uv=$(find_uv || true)
    if [ -n "$uv" ]; then
        say "installing$names with uv"
        "$uv" pip install --quiet --python "$python" --require-hashes "$@" && return 0
        say "uv did not succeed; trying pip"
    fi
    say "installing$names with pip (about half a minute)"
    "$python" -m ensurepip --upgrade >/dev/null 2>&1 || true
    pip_for_venv install --quiet --require-hashes "$@" && return 0
    say "the pinned packages could not be installed"
    say "try: check the network or your package mirror, then run $0 again"
    exit 2
}

install_project() {
    "$python" - "$root" "$venv" <<'PYTHON' || return 1
import pathlib, sys, sysconfig

root, venv = map(pathlib.Path, sys.argv[1:])
site = pathlib.Path(sysconfig.get_path("purelib"))
(site / "undersigned-source.pth").write_text(f"{root / 'src'}\n", encoding="utf-8")
script = venv / "bin" / "undersigned"
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

stamp_of() { # requirements files: what their install depends on, as one line
    printf '%s %s %s\n' "$root" "$interpreter" \
        "$(cat "$@" "$root/scripts/bootstrap.sh" | cksum)"
}

is_ready() { # name of the stamp, requirements files
    stamp=$venv/stamp-$1
    shift
    [ -x "$python" ] && [ -x "$venv/bin/undersigned" ] && [ -f "$stamp" ] &&
        [ "$(cat "$stamp")" = "$(stamp_of "$@")" ] && "$python" -c '' 2>/dev/null
}

ready() { # name of the stamp, requirements files: make the environment unless it is as it should be
    is_ready "$@" && return 0
    make_venv
    rm -f "$venv"/stamp-*
    stamp=$venv/stamp-$1
    shift
    "$python" -m compileall -q "$root/src" >/dev/null 2>&1 & # while packages are fetched
    compiling=$!
    install_pinned "$@"
    wait "$compiling" || true
    install_project || exit 2
    stamp_of "$@" >"$stamp"
}

# The dev set holds the run set, so a ready dev environment serves ./demo too.
case $profile in
run) is_ready dev "$root/requirements-dev.txt" || ready run "$root/requirements.txt" ;;
dev) ready dev "$root/requirements-dev.txt" ;;
esac
