#!/usr/bin/env bash
# Measures what benchmarks/plot.py draws: writing behind contexts of several lengths, and several answers at once.
# Random weights of the 20b shape, 6 of its 24 layers (5.2 GB). Usage: benchmarks/curves.sh NAME-OF-THE-MACHINE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=benchmarks/results/curves-$1.jsonl

dotnet build src/GptOss.Cli -c Release
bench() { # bench KV OPTION...: one run; its line says how keys and values were stored
    dotnet src/GptOss.Cli/bin/Release/net10.0/GptOss.Cli.dll bench --shape 20b --layers 6 --precision fast --kv "$1" \
        -p 32 -n 32 -r 1 --json "${@:2}" | sed "s/^{/{\"kv\":\"$1\",\"commit\":\"$commit\",/" >>"$out"
}

commit=$(git rev-parse --short HEAD)
: >"$out"
for kv in float32 int8; do
    for context in 4096 16384 32768 65536 131000; do bench "$kv" --context "$context"; done
done
for streams in 2 4 8 16; do bench float32 --streams "$streams"; done
