# The optional parts: what not everyone can or wants to have, each tested in an environment of its
# own. Sourced by ./check; needs $root, $scratch and what scripts/bootstrap.sh defines.
#
# A part is a folder of extras/, found by listing them. It is run in the checkout, and may hold:
#
#   run                run its tests, with $root/.venv-<part>/bin first on PATH. Its arguments are
#                      pytest's; its last line is shown last. The one file that has to be there.
#   requirements.in    packages that it needs beside requirements-dev.txt; scripts/lock.sh writes
#   requirements.txt   from it, with hashes, and that is installed
#   here               exit with 0 where the part can run; else print what is missing, in one line.
#                      Exit code 77: not even continuous integration is expected to have it
#   debian.sh          install that from Debian. Only continuous integration calls it by itself
#   interpreter        print the Python of which the environment is made, if not that of .venv
#
# All of these but the two lists are executables.
# INVARIANT: with CI set a part that cannot run fails, so that nothing stays untested unnoticed.

parts() { # the names of all parts
    for folder in "$root"/extras/*/; do
        [ ! -d "$folder" ] || basename "$folder"
    done
}

lacking() { # part: print what it lacks on this machine; fails with the exit code of `here`
    [ ! -x "extras/$1/here" ] || "extras/$1/here"
}

make_part() { # part: make its environment ready
    set -- "$1" "$root/requirements-dev.txt" "$root/extras/$1/requirements.txt"
    [ -f "$3" ] || set -- "$1" "$2"
    if [ -x "extras/$1/interpreter" ]; then
        interpreter=$("extras/$1/interpreter") || return
    fi
    ready "$@"
}

run_part() { # part, arguments of pytest; sets skipped to why it was not run, where that is no fault
    part=$1
    shift
    venv="$root/.venv-$part"
    python="$venv/bin/python"
    why=0
    missing=$(lacking "$part") || why=$?
    if [ "$why" -ne 0 ] && [ -n "${CI:-}" ] && [ -x "extras/$part/debian.sh" ]; then
        "extras/$part/debian.sh" >&2 || true
        why=0
        missing=$(lacking "$part") || why=$?
    fi
    # In a shell of its own, which is what ends when an environment cannot be made.
    [ "$why" -ne 0 ] || (make_part "$part") || { why=2 missing="its environment, see above"; }
    if [ "$why" -eq 0 ]; then
        shown env "PATH=$venv/bin:$PATH" "extras/$part/run" "$@"
        return
    fi
    echo "not here: $missing"
    [ ! -x "extras/$part/debian.sh" ] || echo "try: extras/$part/debian.sh"
    [ -n "${CI:-}" ] && [ "$why" -ne 77 ] && return "$why"
    skipped="skipped, not here: $missing"
}
