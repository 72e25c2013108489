#!/usr/bin/env bash
# One command for everything. Usage: ./build.sh [VERB]
#
#   (none)           restore, format check, build, test
#   format           rewrite the source in the house's format, which CSharpier knows
#   check-format     fail where it is not in that format
#   test             build and test
#   widths           the tests of numbers at 256, 128 bits and scalar, and on .NET 11; the same logits in each and at 512
#   bench [FILTER]   benchmarks in Release
#   pack             the NuGet packages, into artifacts/
#   publish [RID...] the tool as one file for each platform (all), into artifacts/RID: for this one ahead of time, for
#                    the others trimmed, with the runtime inside
#   fuzz [HOURS]     damaged input for this long in all (0.25), then a line for each input; what is found becomes a file
#                    of tests/GptOss.Tests/vectors/fuzz
#   promises [N...]  the tests of docs/reliability.md's promises (all), each with its figures; GPTOSS_LONG=1: in full
#   long             the tests marked kind=long, in full: half an hour of the library's, such as 1,000 processes
#                    killed while they save, then 80 minutes of the server's, such as an hour's soak
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1

TESTS=tests/GptOss.Tests
SERVER_TESTS=tests/GptOss.AspNetCore.Tests

cpu_has() {
    local flags flag
    flags=$(grep -m1 '^flags' /proc/cpuinfo 2>/dev/null ||
        sysctl -n machdep.cpu.features machdep.cpu.leaf7_features 2>/dev/null || true)
    flags=" $(tr '[:upper:]\n' '[:lower:] ' <<<"$flags") "
    for flag in "$@"; do
        [[ $flags == *" $flag "* ]] || return 1
    done
}

# The runtime keeps to 256 bits on Intel model 85 (Skylake-X to Cooper Lake), whose clock falls under 512-bit work.
slows_at_512() {
    grep -q "^vendor_id.*GenuineIntel" /proc/cpuinfo 2>/dev/null && grep -qE "^model[[:space:]]*: 85$" /proc/cpuinfo
}

widest() {
    if cpu_has avx512f avx512bw avx512cd avx512dq avx512vl && ! slows_at_512; then
        echo 512
    elif cpu_has avx2; then
        echo 256
    else
        echo 128
    fi
}

# leg WIDTH SWITCH FILTER...: one run of the suite; its report must name one hash.
leg() {
    local width=$1 switch=$2 report
    shift 2
    report=$(mktemp)
    echo "== width $width${switch:+ ($switch)} $*"
    env ${switch:+"$switch"} GPTOSS_EXPECT_WIDTH="$width" GPTOSS_WIDTH_REPORT="$report" \
        dotnet test --project "$TESTS" --no-build "$@" || FAILED=1
    LINE=$(sort -u "$report")
    rm -f "$report"
    LINES+=("${LINE:-width=$width reported no hash}")
}

widths() {
    local top line
    FAILED=0 LINES=()
    top=$(widest)
    dotnet build "$TESTS"
    # 'dotnet test' is the whole suite at the machine's width: here that leg only reports. So does a leg that the
    # machine is too narrow for. The others run what has numbers in it, but for the slow tests; of these those of 256
    # bits and .NET 11 run the ones whose answers and bits are known.
    local report=(--filter-class '*.WidthTests' '*.WidthReportTests')
    local known=(--filter-class '*.GoldenAnswersTests' '*.SameBitsTests' '*.WidthReportTests')
    local numbers=(--filter-not-class) room
    numbers+=('*.ListingsTests' '*.CirclesTests' '*.RoomsTests' '*.HabitsTests' '*.SamplesTests' '*.NoNativeLibraryTests')
    numbers+=('*.DamagedFolderTests')
    numbers+=(--filter-not-namespace)
    for room in Chat Checkpoint Cli Constraints Fuzzing Harmony Hub OddFolders Threading TinyModel Tokenization; do
        numbers+=("GptOss.Tests.$room*")
    done
    leg "$top" "" "${report[@]}"
    if ((top > 256)); then
        leg 256 DOTNET_EnableAVX512=0 "${numbers[@]}" --filter-not-trait speed=slow
        leg 256 DOTNET_EnableAVX512=0 "${known[@]}"
    else
        leg "$top" DOTNET_EnableAVX512=0 "${report[@]}"
    fi
    leg 128 DOTNET_EnableAVX2=0 "${numbers[@]}" --filter-not-trait speed=slow
    leg scalar DOTNET_EnableHWIntrinsic=0 "${numbers[@]}" --filter-not-trait speed=slow
    # AVX-512 without its newer sets: there the compiler of .NET cannot be trusted with VNNI (VnniProducts).
    leg "$top" DOTNET_EnableAVX512v3=0 --filter-class '*.WidthReportTests' '*.Int8Tests' '*.Mxfp4Int8Tests'
    # .NET 11 multiplies bytes by instructions that .NET 10 lacks. Its runtime is a package: no SDK 11 is needed.
    local net11=(-p:EveryFramework=true -p:SelfContained=true -p:UseCurrentRuntimeIdentifier=true --framework net11.0)
    export GPTOSS_EXPECT_FRAMEWORK=net11.0
    ((top < 512)) || ! cpu_has avx512_vnni || export GPTOSS_EXPECT_DOTS="Dots512<VnniProducts>"
    dotnet build "$TESTS" "${net11[@]}"
    leg "$top" "" "${net11[@]}" "${numbers[@]}" --filter-not-trait speed=slow
    leg "$top" "" "${net11[@]}" "${known[@]}"
    unset GPTOSS_EXPECT_FRAMEWORK GPTOSS_EXPECT_DOTS

    echo "== widths"
    printf '%s\n' "${LINES[@]}"
    for line in "${LINES[@]}"; do
        [[ $line =~ ^width=[^[:space:]]+\ runtime=[^[:space:]]+\ dots=[^[:space:]]+\ hash=[^[:space:]]+$ ]] && continue
        echo "widths: no hash, or several: $line" >&2
        return 1
    done
    if [[ $(printf '%s\n' "${LINES[@]}" | sed 's/.*hash=//' | sort -u | wc -l) != 1 ]]; then
        echo "widths: the logits differ between widths" >&2
        return 1
    fi
    return "$FAILED"
}

pack() {
    local project package framework
    for project in src/*/*.csproj; do
        [ "$(dotnet msbuild "$project" -getProperty:IsPackable)" != true ] || dotnet pack "$project" -c Release -o artifacts
    done
    package=$(ls -t artifacts/GptOss.[0-9]*.nupkg | head -n 1)
    # A zip file names what it holds in plain text.
    for framework in net10.0 net11.0; do
        grep -aqF "lib/$framework/GptOss.dll" "$package" || {
            echo "pack: $package has no library for $framework" >&2
            return 1
        }
    done
}

publish() {
    local here rid
    here=$(dotnet msbuild src/GptOss.Cli -getProperty:NETCoreSdkRuntimeIdentifier)
    [ $# -gt 0 ] ||
        set -- linux-x64 linux-arm64 linux-musl-x64 osx-x64 osx-arm64 win-x64
    for rid in "$@"; do
        local form=(-p:PublishTrimmed=true -p:PublishSingleFile=true --self-contained)
        [ "$rid" != "$here" ] || form=(-p:PublishAot=true)
        dotnet publish src/GptOss.Cli -r "$rid" "${form[@]}" -p:DebugType=none -p:StripSymbols=true \
            -p:TreatWarningsAsErrors=true -p:IlcTreatWarningsAsErrors=true -p:ILLinkTreatWarningsAsErrors=true \
            -o "artifacts/$rid"
        # The assembly cannot have the command's name; a program of one file can.
        local name end=""
        [[ $rid != win-* ]] || end=.exe
        mv "artifacts/$rid/GptOss.Cli$end" "artifacts/$rid/gptoss$end"
        ls -l "artifacts/$rid"
    done
}

promises() {
    local number output failed=0
    [ $# -gt 0 ] || set -- $(seq 26)
    export GPTOSS_FIGURES
    GPTOSS_FIGURES=$(mktemp) output=$(mktemp)
    dotnet build -v quiet
    for number; do
        : >"$GPTOSS_FIGURES"
        dotnet test --no-build --filter-trait "promise=P$number" --ignore-exit-code 8 >"$output" 2>&1 || failed=1
        awk -v promise="P$number" '/^ *succeeded:/ { passed += $2 } /^ *failed:/ { failed += $2 }
            END { printf "%s: %d passed, %d failed\n", promise, passed, failed }' "$output"
        grep -E -A 6 '^ *failed [^:]|: error ' "$output" || true
        sort -u "$GPTOSS_FIGURES" | sed 's/^P[0-9]*: /    /'
    done
    rm -f "$GPTOSS_FIGURES" "$output"
    return "$failed"
}

# One test after the other: each takes its share of the time.
fuzz() {
    local project failed=0 start
    GPTOSS_FUZZ_SECONDS=$(awk -v hours="$1" 'BEGIN { if (hours + 0 <= 0) exit 1; printf "%.3f", hours * 3600 }') || {
        echo "fuzz: HOURS should be a number above 0, such as 0.5, but is '$1'" >&2
        return 2
    }
    GPTOSS_FUZZ_REPORT=$(mktemp)
    export GPTOSS_FUZZ_SECONDS GPTOSS_FUZZ_REPORT
    dotnet build -v quiet
    start=$SECONDS
    for project in "$TESTS" "$SERVER_TESTS"; do
        dotnet run --project "$project" --no-build -- -noColor -trait kind=fuzz -parallelMode none || failed=1
    done
    echo "== fuzz: $GPTOSS_FUZZ_SECONDS s asked for, $((SECONDS - start)) s taken"
    sort "$GPTOSS_FUZZ_REPORT"
    rm -f "$GPTOSS_FUZZ_REPORT"
    return "$failed"
}

check_format() {
    dotnet tool restore && dotnet csharpier check .
}

case "${1:-}" in
"")
    dotnet restore
    check_format
    dotnet build --no-restore
    dotnet test --no-build
    ;;
format) dotnet tool restore && dotnet csharpier format . ;;
check-format) check_format ;;
test) dotnet test ;;
widths) widths ;;
bench) dotnet run -c Release --project benchmarks/GptOss.Benchmarks -- --filter "${2:-*}" ;;
pack) pack ;;
publish) publish "${@:2}" ;;
fuzz) fuzz "${2:-0.25}" ;;
promises) promises "${@:2}" ;;
long)
    export GPTOSS_LONG=1
    dotnet test --project "$TESTS" --filter-trait kind=long
    dotnet test --project "$SERVER_TESTS" --filter-trait kind=long
    ;;
*)
    sed -n '2,17p' "$0" | cut -c3- >&2
    exit 2
    ;;
esac
