#!/bin/sh
# Write the hash-pinned requirements files anew, those of the optional parts too. Needs the network
# and uv.
#
#   scripts/lock.sh             newest versions that pyproject.toml and the .in files allow
#   scripts/lock.sh --keep      keep pinned versions, only add what is missing
#
# The files name versions and hashes only: no index, no host, no local path, so that they install
# from any mirror that holds the same bytes.
set -eu
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
[ -x "$uv" ] || uv=uv
mode=--upgrade
[ "${1:-}" = --keep ] && mode=

lock() { # output, input...
    output=$1
    shift
    # WHY one version per package on every Python (fewest forks): two machines that differ only
    # in their Python must compute the same numbers.
    "$uv" pip compile "$@" $mode --quiet --universal --python-version 3.11 \
        --fork-strategy fewest --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links --output-file "$output" >/dev/null
    echo "$output: $(grep -c '==' "$output") packages"
}

lock requirements.txt pyproject.toml
lock requirements-dev.txt requirements-dev.in
lock requirements-uv.txt requirements-uv.in
for asked in extras/*/requirements.in; do
    [ -f "$asked" ] || continue
    # What a part adds is installed beside requirements-dev.txt, so both name the same versions.
    lock "${asked%.in}.txt" "$asked" --constraint requirements-dev.txt
done
# The pins that `undersigned doctor` compares with are package data made from requirements.txt.
.venv/bin/python -m scripts.make_docs
