#!/usr/bin/env bash
# Draws the pictures of the README anew. Needs python3, tmux, and a gptoss on the PATH; bench.svg takes 5.2 GB of memory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
docs/images/terminal.py docs/images/chat.svg 30 84 'gptoss chat --temperature 0' \
    'What is 345 + 678?' '/effort high' 'What is 56 + 78?' 'Who are you?'
docs/images/terminal.py docs/images/bench.svg 30 100 'gptoss bench --shape 20b --layers 6 --precision fast'
python3 benchmarks/plot.py
# page.png, which needs Chromium.
GPTOSS_PICTURES=$PWD/docs/images dotnet test --project tests/GptOss.AspNetCore.Tests --filter-class '*.TinyPageTests'
