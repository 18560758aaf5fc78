#!/usr/bin/env bash
# Trains on 1, 2 and 4 ranks of MPI on this machine, and sees what becomes of ranks that fail, leave and are killed.
#
#   mpi_ranks.sh PROGRAM      the program is tests/mpi_ranks.c
set -uo pipefail
program=$1
command -v mpirun >/dev/null || { echo "skipped: mpirun is missing (Debian: openmpi-bin)"; exit 77; }

run=$(dirname "$0")/../tools/run-ranks
said=$(mktemp)
trap 'rm -f "$said"' EXIT
failed=0

# ranks N WHAT: one run, which must end by itself. Its output is in $said.
ranks() {
    timeout 120 "$run" "$1" "$program" "$2" >"$said" 2>&1
    status=$?
}
wrong() {
    echo "FAILED: $1 (exit status $status)"
    cat "$said"
    failed=1
}

for n in 1 2 4; do
    ranks $n trains
    [ $status = 0 ] || wrong "$n ranks train"
    grep "^$n ranks: " "$said"
done
for what in models fails leaves first second between turned; do
    ranks 3 $what
    [ $status = 0 ] || wrong "rank 1 of 3: $what"
done
ranks 2 turned
[ $status = 0 ] || wrong 'rank 1 of 2: turned'
ranks 2 gone
[ $status = 0 ] || wrong 'communicators that are gone'
# Whoever is killed or exits without MPI_Finalize is noticed by mpirun, which ends the others and says so.
for what in killed exits; do
    ranks 3 $what
    [ $status != 0 ] && [ $status != 124 ] && grep -qiE 'signal 9|killed|exit code|exited|had enough' "$said" ||
        wrong "rank 1 of 3: $what"
done
exit $failed
