#!/usr/bin/env bash
# Every client finishes its tool loop against the scripted server: tests/clients/run.sh [--other] [--silent] [NAME...]
#
# By hand, before a release: it installs some 2 GB from npm into a folder of its own (GPTOSS_CLIENTS keeps it), with
# --other the second versions of some, and pi. With --silent the agents, all at once, wait 330 seconds for the first
# word, while the server reads their prompt. The
# SDKs are asked by sdks/*.mjs; the agents are given an empty home, the settings that 'gptoss connect' prints, and a
# task for which the script makes them run a command. The last lines are a table: client, version, result.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

repository=$(cd ../.. && pwd)
work=$(mktemp -d)
packages=${GPTOSS_CLIENTS:-$work/packages}
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT

# One framework for all of them, newer than most machines have.
set=.
sdks=(openai:openai agents:@openai/agents ai:ai anthropic:@anthropic-ai/sdk langchain:@langchain/openai)
agents=(codex:@openai/codex claude:@anthropic-ai/claude-code opencode:opencode-ai copilot:@github/copilot
    continue:@continuedev/cli cline:cline qwen:@qwen-code/qwen-code)
if [ "${1:-}" = --other ]; then
    set=other
    sdks=(openai:openai ai:ai langchain:@langchain/openai)
    agents=(claude:@anthropic-ai/claude-code qwen:@qwen-code/qwen-code pi:@mariozechner/pi-coding-agent)
    shift
fi
silence="" patience=120
if [ "${1:-}" = --silent ]; then
    silence=$'READ 9000 330000\n' patience=900
    sdks=()
    shift
fi
mkdir -p "$packages"
cp "$set/package.json" "$packages/"
rm -rf "$packages/sdks" && cp -r sdks "$packages/sdks"
(cd "$packages" && npm install --no-audit --no-fund --loglevel=error) || exit 1
export PATH=$packages/node_modules/.bin:$PATH

dotnet build "$repository/tests/ScriptedServer" -o "$work/server" -v quiet || exit 1
dotnet build "$repository/src/GptOss.Cli" -o "$work/tool" -v quiet || exit 1
dotnet "$work/server/ScriptedServer.dll" 0 >"$work/server.log" 2>&1 &
server=$!
until url=$(grep -oE -m1 'http://127.0.0.1:[0-9]+' "$work/server.log"); do
    kill -0 "$server" || exit 1
    sleep 0.1
done

version() { node -p "require('$packages/node_modules/$1/package.json').version"; }

# connect NAME: the settings for the scripted server.
connect() { dotnet "$work/tool/GptOss.Cli.dll" connect "$1" --url "$url" --context 131072 2>/dev/null; }

# alone COMMAND...: in an empty home, and in an empty project within it, with no variable of this shell but PATH.
alone() {
    (cd "$home/project" && env -i HOME="$home" PATH="$PATH" TERM=dumb timeout "$patience" "$@" 2>&1)
}

# Makes every agent run this command; only a shell writes the word that is looked for.
command='echo forty$((40+2))'

agent_codex() {
    mkdir "$home/.codex"
    connect codex >"$home/.codex/config.toml"
    connect codex-models >"$home/.codex/gptoss-models.json"
    alone codex exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox \
        "${silence}CALL exec_command {\"cmd\":\"$command\"}" </dev/null
}

agent_claude() {
    mkdir "$home/.claude"
    connect claude >"$home/.claude/settings.json"
    # Root may skip its questions only where it is told to be in a sandbox.
    alone env IS_SANDBOX=1 claude -p --dangerously-skip-permissions \
        "${silence}CALL Bash {\"command\":\"$command\",\"description\":\"says a number\"}" </dev/null
}

agent_opencode() {
    connect opencode >"$home/project/opencode.json"
    echo "${silence}CALL bash {\"command\":\"$command\",\"description\":\"says a number\"}" >"$home/task"
    alone opencode run <"$home/task" # as an argument it would be put into quotation marks
}

agent_copilot() {
    connect copilot >"$home/settings"
    alone bash -c '. ../settings && exec copilot --allow-all-tools -p "$1"' copilot \
        "${silence}CALL bash {\"command\":\"$command\",\"description\":\"says a number\"}" </dev/null
}

agent_continue() {
    mkdir "$home/.continue"
    connect continue >"$home/.continue/config.yaml"
    alone cn --config "$home/.continue/config.yaml" --auto -p "${silence}CALL Bash {\"command\":\"$command\"}" </dev/null
}

agent_cline() {
    connect cline >"$home/settings"
    alone sh ../settings </dev/null
    alone cline "${silence}CALL run_commands {\"commands\":[\"$command\"]}" </dev/null
}

agent_qwen() {
    mkdir "$home/.qwen"
    connect qwen >"$home/.qwen/settings.json"
    # 0.15.10 cannot connect to anything under Node 26; under Node 20, the machine's own, it can.
    local node=node
    [ "$set" = . ] || node=$(type -aP node | tail -n 1)
    alone "$node" "$packages/node_modules/@qwen-code/qwen-code/cli.js" --yolo "${silence}CALL run_shell_command {\"command\":\"$command\",\"is_background\":false}" </dev/null
}

agent_pi() {
    mkdir -p "$home/.pi/agent"
    cat >"$home/.pi/agent/models.json" <<END
{ "providers": { "gptoss": { "baseUrl": "$url/v1", "api": "openai-completions", "apiKey": "none",
    "models": [{ "id": "gpt-oss-20b", "reasoning": true, "contextWindow": 131072 }] } } }
END
    alone pi -p --model gptoss/gpt-oss-20b \
        "${silence}CALL bash {\"command\":\"$command\"}" </dev/null
}

table=() failed=0
# row NAME PACKAGE RESULT
row() {
    table+=("$(printf '%-12s %-28s %-10s %s' "$1" "$2" "$(version "$2")" "$3")")
    [ "$3" = ok ] || failed=1
}

# wanted NAME: whether the command line asks for it.
wanted() { [ ${#only[@]} = 0 ] || [[ " ${only[*]} " == *" $1 "* ]]; }
only=("$@")

for pair in "${sdks[@]}"; do
    name=${pair%%:*}
    wanted "$name" || continue
    echo "== $name"
    if (cd "$packages" && timeout 120 node "sdks/$name.mjs" "$url"); then
        row "$name" "${pair#*:}" ok
    else
        row "$name" "${pair#*:}" failed
    fi
done

# All of them at once where they wait, which is no work.
for pair in "${agents[@]}"; do
    name=${pair%%:*}
    wanted "$name" || continue
    home=$work/home-$name
    mkdir -p "$home/project"
    if [ -n "$silence" ]; then
        "agent_$name" >"$work/answer-$name" 2>&1 &
    else
        echo "== $name"
        "agent_$name" | tee "$work/answer-$name"
    fi
done
for job in $(jobs -p); do [ "$job" = "$server" ] || wait "$job"; done
for pair in "${agents[@]}"; do
    name=${pair%%:*}
    wanted "$name" || continue
    # What the tool said comes back as the answer.
    if sed -n '/The tool said:/,$p' "$work/answer-$name" | grep -qF forty42; then
        row "$name" "${pair#*:}" ok
    else
        row "$name" "${pair#*:}" failed
        [ -z "$silence" ] || tail -n 20 "$work/answer-$name"
    fi
done

if [ "$set" = . ] && [ -z "$silence" ] && wanted js; then
    echo "== js"
    connect js >"$packages/hello.mjs"
    if (cd "$packages" && node hello.mjs) | tee "$work/answer" && grep -qF 'What is 345 + 678?' "$work/answer"; then
        row js openai ok
    else
        row js openai failed
    fi
fi

echo
printf '%s\n' "${table[@]}"
exit $failed
