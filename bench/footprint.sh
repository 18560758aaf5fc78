#!/bin/sh
# How much a program grows by gradtape, and how soon it trains: stripped sizes of the shared library
# and of a static program that trains a small network, then what bench/footprint.c measures.
#
# bench/footprint.sh BUILD   a build directory made with -Dbench=true -Ddefault_library=both
set -eu
build=${1:-build}
program=$build/bench/footprint
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

size_of() { # name, file
    strip -o "$scratch/stripped" "$2"
    awk -v name="$1" -v bytes="$(wc -c <"$scratch/stripped")" \
        'BEGIN { printf "%-44s %10.0f KiB\n", name, bytes / 1024 }'
}

shared=$(find "$build" -maxdepth 1 -name 'libgradtape.so.*' -type f | head -n 1)
if [ -n "$shared" ]; then
    size_of "shared library, stripped" "$shared"
else
    echo "no shared library in $build: set -Ddefault_library=both"
fi
size_of "program with gradtape linked in, stripped" "$program"
"$program"
