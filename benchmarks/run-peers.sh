#!/usr/bin/env bash
# gptoss bench and LLamaSharp (llama.cpp) in turn, on random weights of the 20b shape: one answer, and 16 answers, which
# LLamaSharp makes one after the other.
# Adds a dated table to benchmarks/results/. Needs the .NET SDK 10 and git. Usage: benchmarks/run-peers.sh [OPTION]...
#
#   --layers N         first layers of the shape (6); 24 are the whole of it
#   --precisions LIST  of gptoss ("checkpoint fast"); one that `gptoss bench` does not know is left out
#   --rounds R         each engine once a round (3)
#   --threads N        of every engine (one per processor)
#   --machine NAME     names the file of results (from the processor's name)
#   --keep DIR         writes the GGUF there, or takes the one that is there (a folder that is removed)
set -euo pipefail
FROM=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# No build server may stay behind: it would hold memory, and wake up, beside the engines.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false

PREFILL=256 DECODE=32 REPETITIONS=3 STREAMS=16
LAYERS=6 PRECISIONS="checkpoint fast" ROUNDS=3 THREADS='' MACHINE='' KEEP=''

fail() {
    echo "run-peers: $*" >&2
    exit 1
}

usage() {
    sed -n '2,11p' "$0" | cut -c3- >&2
    exit 2
}

processor() {
    sed -nE 's/^model name[[:space:]]*: (.*)/\1/p' /proc/cpuinfo 2>/dev/null | head -n 1 | grep . ||
        sysctl -n machdep.cpu.brand_string 2>/dev/null || uname -m
}

# knows PRECISION: a gptoss without --precision has the first one only.
knows() {
    local option
    option=$(gptoss bench --help | grep -e --precision) || { [[ $1 == checkpoint ]]; return; }
    grep -qw -e "$1" <<<"$option"
}

gptoss() { dotnet src/GptOss.Cli/bin/Release/net10.0/GptOss.Cli.dll "$@"; }

peers() { dotnet benchmarks/peers/bin/Release/net10.0/GptOss.Peers.dll "$@"; }

# measure ROUND ENGINE: one run, alone on the machine as far as this script can tell.
measure() {
    local out="$WORK/figures/$1.$2.json" precision=()
    echo "== round $1 of $ROUNDS, $2" >&2
    if [[ $2 == LLamaSharp ]]; then
        peers run "$GGUF" "$LAYERS" "$THREADS" "$PREFILL" "$DECODE" "$REPETITIONS" >"$out"
    else
        # Its help is what tells whether there is a choice.
        gptoss bench --help | grep -q -e --precision && precision=(--precision "$2")
        gptoss bench --shape 20b --layers "$LAYERS" --threads "$THREADS" -p "$PREFILL" -n "$DECODE" -r "$REPETITIONS" \
            --streams "$STREAMS" ${precision[@]+"${precision[@]}"} --json >"$out"
    fi || fail "$2 stopped in round $1; see above. Nothing was added to the results."
    cat "$out" >&2
}

while (($#)); do
    (($# > 1)) || usage
    case "$1" in
    --layers) LAYERS=$2 ;;
    --precisions) PRECISIONS=$2 ;;
    --rounds) ROUNDS=$2 ;;
    --threads) THREADS=$2 ;;
    --machine) MACHINE=$2 ;;
    --keep) KEEP=$(cd "$FROM" && mkdir -p "$2" && cd "$2" && pwd) || fail "cannot use the folder $2." ;;
    *) usage ;;
    esac
    shift 2
done
for tool in dotnet git; do
    command -v "$tool" >/dev/null || fail "$tool is missing."
done
THREADS=${THREADS:-$(getconf _NPROCESSORS_ONLN)}
for number in "$LAYERS" "$ROUNDS" "$THREADS"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || fail "'$number' is not a number of layers, rounds or threads."
done
MACHINE=${MACHINE:-$(processor | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9]+/-/g; s/^-|-$//g')-$(getconf _NPROCESSORS_ONLN)-cores}

# Not the temporary folder of most systems, which may be memory: a model there would take the room of the engines.
WORK=$(mktemp -d "${TMPDIR:-/var/tmp}/gptoss-peers.XXXXXX") || fail "no temporary folder; set TMPDIR."
trap 'rm -rf "$WORK"' EXIT
mkdir "$WORK/figures"
GGUF=${KEEP:-$WORK}/gpt-oss-20b-$LAYERS-layers.gguf

echo "== build" >&2
dotnet build src/GptOss.Cli -c Release -v quiet >&2 || fail "gptoss does not build; see above."
dotnet build benchmarks/peers -c Release -v quiet -p:Peers=true >&2 ||
    fail "the peers do not build; see above. Error NU1101 or NU1102 says that the package source lacks LLamaSharp."

known=()
for precision in $PRECISIONS; do
    if knows "$precision"; then
        known+=("$precision")
    else
        echo "run-peers: gptoss bench does not know the precision '$precision'; left out." >&2
    fi
done
((${#known[@]})) || fail "gptoss bench knows none of the precisions: $PRECISIONS."

echo "== random GGUF" >&2
peers write "$GGUF" "$LAYERS" || fail "the GGUF was not written; see above."
for ((round = 1; round <= ROUNDS; round++)); do
    for engine in LLamaSharp "${known[@]}"; do measure "$round" "$engine"; done
done

VERSION=$(sed -nE 's/.*Include="LLamaSharp" Version="([^"]*)".*/\1/p' Directory.Packages.props)
TABLES=$(peers report "$WORK/figures" "$VERSION") || fail "the figures could not be compared; see above."
RESULTS=benchmarks/results/$MACHINE-peers.md
COMMIT=$(git rev-parse --short HEAD)
[[ -z $(git status --porcelain -- src benchmarks/peers Directory.*) ]] || COMMIT="$COMMIT with changes"
if [[ ! -e $RESULTS ]]; then
    cat >"$RESULTS" <<TEXT
# GptOss beside LLamaSharp: $(processor), $(getconf _NPROCESSORS_ONLN) cores

Tables of \`benchmarks/run-peers.sh\`: random weights of the 20b shape, the engines in turn, one model in memory at a time. Figures are
medians of the rounds, and a round's is the median of $REPETITIONS repetitions; a ratio is the median of the rounds' own ratios to
LLamaSharp, with the least and the greatest. LLamaSharp reads a GGUF with MXFP4 experts and Q8_0 dense weights, the precision
\`checkpoint\` of GptOss MXFP4 experts and bf16 dense weights, which are more bytes per token.
TEXT
fi
cat >>"$RESULTS" <<TEXT

## $(date -u +%Y-%m-%d), commit $COMMIT, $LAYERS layers

$(uname -s), $THREADS threads, prefill of $PREFILL tokens, decode of $DECODE, $ROUNDS rounds.

$TABLES
TEXT
echo "== $RESULTS" >&2
echo "$TABLES"
