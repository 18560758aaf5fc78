#!/usr/bin/env bash
# Ranks against threads: bench/distributed.sh BUILD [ROUNDS]. Each way takes its turn three times, so that a busy neighbour slows all
# of them; the efficiency of 2 is the time of 1 over twice the time, by the least of all turns.
set -euo pipefail
program=$1/bench/distributed rounds=${2:-60}
run=$(dirname "$0")/../tools/run-ranks
said=$(mktemp)
trap 'rm -f "$said"' EXIT
for turn in 1 2 3; do
    "$run" 1 "$program" 1 "$rounds"
    "$run" 1 "$program" 2 "$rounds"
    "$run" 2 "$program" 1 "$rounds"
    "$run" 4 "$program" 1 "$rounds"
done | tee "$said"
awk '
    { way = $1 " " $4; time = $7 + 0; if (!(way in least) || time < least[way]) least[way] = time }
    END {
        one = least["1 1"]
        printf "efficiency: 2 threads %.2f, 2 ranks %.2f, 4 ranks %.2f (of as many cores as there are ranks)\n",
            one / 2 / least["1 2"], one / 2 / least["2 1"], one / 4 / least["4 1"]
    }' "$said"
