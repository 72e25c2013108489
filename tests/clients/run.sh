#!/usr/bin/env bash
# Every client finishes its tool loop against the scripted server: tests/clients/run.sh [NAME...]
#
# By hand, before a release: it installs some 2 GB from npm into a folder of its own (GPTOSS_CLIENTS keeps it). The
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
mkdir -p "$packages"
cp package.json "$packages/"
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
    (cd "$home/project" && env -i HOME="$home" PATH="$PATH" TERM=dumb timeout 120 "$@" 2>&1)
}

# Makes every agent run this command; only a shell writes the word that is looked for.
command='echo forty$((40+2))'

agent_codex() {
    mkdir "$home/.codex"
    connect codex >"$home/.codex/config.toml"
    connect codex-models >"$home/.codex/gptoss-models.json"
    alone codex exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox \
        "CALL exec_command {\"cmd\":\"$command\"}" </dev/null
}

agent_claude() {
    mkdir "$home/.claude"
    connect claude >"$home/.claude/settings.json"
    # Root may skip its questions only where it is told to be in a sandbox.
    alone env IS_SANDBOX=1 claude -p --dangerously-skip-permissions \
        "CALL Bash {\"command\":\"$command\",\"description\":\"says a number\"}" </dev/null
}

agent_opencode() {
    connect opencode >"$home/project/opencode.json"
    echo "CALL bash {\"command\":\"$command\",\"description\":\"says a number\"}" >"$home/task"
    alone opencode run <"$home/task" # as an argument it would be put into quotation marks
}

agent_copilot() {
    connect copilot >"$home/settings"
    alone bash -c '. ../settings && exec copilot --allow-all-tools -p "$1"' copilot \
        "CALL bash {\"command\":\"$command\",\"description\":\"says a number\"}" </dev/null
}

agent_continue() {
    mkdir "$home/.continue"
    connect continue >"$home/.continue/config.yaml"
    alone cn --config "$home/.continue/config.yaml" --auto -p "CALL Bash {\"command\":\"$command\"}" </dev/null
}

agent_cline() {
    connect cline >"$home/settings"
    alone sh ../settings </dev/null
    alone cline "CALL run_commands {\"commands\":[\"$command\"]}" </dev/null
}

agent_qwen() {
    mkdir "$home/.qwen"
    connect qwen >"$home/.qwen/settings.json"
    alone qwen --yolo "CALL run_shell_command {\"command\":\"$command\",\"is_background\":false}" </dev/null
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

for pair in openai:openai agents:@openai/agents ai:ai anthropic:@anthropic-ai/sdk langchain:@langchain/openai; do
    name=${pair%%:*}
    wanted "$name" || continue
    echo "== $name"
    if (cd "$packages" && timeout 120 node "sdks/$name.mjs" "$url"); then
        row "$name" "${pair#*:}" ok
    else
        row "$name" "${pair#*:}" failed
    fi
done

for pair in codex:@openai/codex claude:@anthropic-ai/claude-code opencode:opencode-ai copilot:@github/copilot \
    continue:@continuedev/cli cline:cline qwen:@qwen-code/qwen-code; do
    name=${pair%%:*}
    wanted "$name" || continue
    echo "== $name"
    home=$work/home-$name
    mkdir -p "$home/project"
    "agent_$name" | tee "$work/answer"
    # What the tool said comes back as the answer.
    if sed -n '/The tool said:/,$p' "$work/answer" | grep -qF forty42; then
        row "$name" "${pair#*:}" ok
    else
        row "$name" "${pair#*:}" failed
    fi
done

if wanted js; then
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
