#!/usr/bin/env bash
# gptoss bench, built for both frameworks and ahead of time, and LLamaSharp (llama.cpp) in turn, on random weights of
# the 20b shape. Adds a dated table to benchmarks/results/: what must be reached and is, then the engines. A quarter of
# an hour on two quiet cores. Needs the .NET SDK 10, git, and a C compiler for what is built ahead of time.
# Usage: benchmarks/run-peers.sh [OPTION]...
#
#   --layers N         first layers of the shape (6); 24 are the whole of it
#   --engines LIST     "LLamaSharp fast fast-net10 fast-net10-256 fast-aot fast-net10-aot checkpoint" or some of them: a
#                      precision, then .NET 10 in place of 11, registers of 256 bits, compiled ahead of time
#   --rounds R         each engine once a round (3)
#   --streams N        also N answers at once by "fast" and "checkpoint"; LLamaSharp makes one after the other
#   --threads N        of every engine (one per processor)
#   --machine NAME     names the file of results (from the processor's name)
#   --keep DIR         writes the GGUF there, or takes the one that is there (a folder that is removed)
set -euo pipefail
FROM=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# No build server may stay behind: it would hold memory, and wake up, beside the engines.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false

PREFILL=256 PREFILLS=16,2048 DECODE=32 REPETITIONS=3
ENGINES="LLamaSharp fast fast-net10 fast-net10-256 fast-aot fast-net10-aot checkpoint"
LAYERS=6 ROUNDS=3 STREAMS='' THREADS='' MACHINE='' KEEP=''

fail() {
    echo "run-peers: $*" >&2
    exit 1
}

usage() {
    sed -n '2,16p' "$0" | cut -c3- >&2
    exit 2
}

processor() {
    sed -nE 's/^model name[[:space:]]*: (.*)/\1/p' /proc/cpuinfo 2>/dev/null | head -n 1 | grep . ||
        sysctl -n machdep.cpu.brand_string 2>/dev/null || uname -m
}

# build_of ENGINE: the folder that its tool was built into.
build_of() {
    local build=net11.0
    [[ $1 != *-net10* ]] || build=net10.0
    [[ $1 != *-aot ]] || build+=-aot
    echo "$build"
}

# build FOLDER: .NET 11 brings its runtime along; ahead of time is for the instructions of this processor, as the JIT's.
build() {
    local options=(--self-contained false)
    [[ $1 != net11.0 ]] || options=(--self-contained)
    [[ $1 != *-aot ]] || options=(-p:PublishAot=true -p:IlcInstructionSet=native)
    dotnet publish src/GptOss.Cli -c Release -v quiet -p:EveryFramework=true --framework "${1%-aot}" \
        --use-current-runtime "${options[@]}" -o "$WORK/$1" >&2 || fail "gptoss does not build for $1; see above."
}

# gptoss ENGINE ARGUMENT...: the tool as the engine's name says.
gptoss() {
    local engine=$1 folder tool
    folder=$WORK/$(build_of "$1")
    shift
    tool=("$folder/GptOss.Cli")
    [[ $folder != */net10.0 ]] || tool=(dotnet "$folder/GptOss.Cli.dll")
    [[ $engine != *-256 ]] || tool=(env DOTNET_EnableAVX512=0 "${tool[@]}")
    "${tool[@]}" "$@"
}

peers() { dotnet benchmarks/peers/bin/Release/net10.0/GptOss.Peers.dll "$@"; }

# measure ROUND ENGINE: one run, alone on the machine as far as this script can tell.
measure() {
    local out="$WORK/figures/$1.$2.json" more=()
    echo "== round $1 of $ROUNDS, $2" >&2
    if [[ $2 == LLamaSharp ]]; then
        peers run "$GGUF" "$LAYERS" "$THREADS" "$PREFILL" "$DECODE" "$REPETITIONS" >"$out"
    else
        [[ $2 != fast ]] || more+=(--prefills "$PREFILLS")
        [[ -z $STREAMS || $2 == *-* ]] || more+=(--streams "$STREAMS")
        gptoss "$2" bench --shape 20b --layers "$LAYERS" --threads "$THREADS" --precision "${2%%-*}" \
            -p "$PREFILL" -n "$DECODE" -r "$REPETITIONS" ${more[@]+"${more[@]}"} --json >"$out"
    fi || fail "$2 stopped in round $1; see above. Nothing was added to the results."
    cat "$out" >&2
}

while (($#)); do
    (($# > 1)) || usage
    case "$1" in
    --layers) LAYERS=$2 ;;
    --engines) ENGINES=$2 ;;
    --rounds) ROUNDS=$2 ;;
    --streams) STREAMS=$2 ;;
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
for number in "$LAYERS" "$ROUNDS" "$THREADS" ${STREAMS:+"$STREAMS"}; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || fail "'$number' is not a number of layers, rounds, threads or streams."
done
for engine in $ENGINES; do
    [[ $engine =~ ^(LLamaSharp|(fast|checkpoint)(-net10)?(-256|-aot)?)$ ]] || fail "no engine is named '$engine'."
done
MACHINE=${MACHINE:-$(processor | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9]+/-/g; s/^-|-$//g')-$(getconf _NPROCESSORS_ONLN)-cores}

# Not the temporary folder of most systems, which may be memory: a model there would take the room of the engines.
WORK=$(mktemp -d "${TMPDIR:-/var/tmp}/gptoss-peers.XXXXXX") || fail "no temporary folder; set TMPDIR."
trap 'rm -rf "$WORK"' EXIT
mkdir "$WORK/figures"
GGUF=${KEEP:-$WORK}/gpt-oss-20b-$LAYERS-layers.gguf

echo "== build" >&2
dotnet build benchmarks/peers -c Release -v quiet -p:Peers=true >&2 ||
    fail "the peers do not build; see above. Error NU1101 or NU1102 says that the package source lacks LLamaSharp."
for folder in $(for engine in $ENGINES; do [[ $engine == LLamaSharp ]] || build_of "$engine"; done | sort -u); do
    build "$folder"
done

if [[ " $ENGINES " == *" LLamaSharp "* ]]; then
    echo "== random GGUF" >&2
    peers write "$GGUF" "$LAYERS" || fail "the GGUF was not written; see above."
fi
for ((round = 1; round <= ROUNDS; round++)); do
    for engine in $ENGINES; do measure "$round" "$engine"; done
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
