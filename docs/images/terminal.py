#!/usr/bin/env python3
"""Draws a terminal as SVG: runs a command in tmux, types what it is told, and pictures the screen in its colours.

    docs/images/terminal.py OUT.svg ROWS COLUMNS COMMAND [TEXT-TO-TYPE...]

Each text is typed with a return behind it, once the screen has stood still for two seconds. Without a text the picture
is that of the command's end.
"""

import html
import pathlib
import re
import subprocess
import sys
import time

CELL, LINE, PAD = 8.4, 18, 14
BASIC = ["#1c2128", "#f47067", "#57ab5a", "#c69026", "#539bf5", "#b083f0", "#39c5cf", "#d0d7de"]
BRIGHT = ["#636e7b", "#ff938a", "#6bc46d", "#daaa3f", "#6cb6ff", "#dcbdfb", "#56d4dd", "#ffffff"]


def tmux(*arguments):
    return subprocess.run(["tmux", "-L", "picture", *arguments], check=True, capture_output=True, text=True).stdout


def screen():
    return tmux("capture-pane", "-p", "-e", "-t", "it")


def still():
    before, since = None, time.time()
    for _ in range(3000):
        now = screen()
        if now != before:
            before, since = now, time.time()
        elif time.time() - since > 2:
            return now
        time.sleep(0.1)
    return before


def is_over():
    return tmux("display-message", "-p", "-t", "it", "#{pane_current_command}").strip() == "bash"


def colour(codes):
    """The colour that a list of SGR codes sets; None where they set none."""
    if codes[:2] == [38, 2]:
        return "#%02x%02x%02x" % tuple(codes[2:5])
    if codes[:2] == [38, 5]:
        n = codes[2]
        if n < 16:
            return (BASIC + BRIGHT)[n]
        if n >= 232:
            return "#%02x%02x%02x" % ((8 + 10 * (n - 232),) * 3)
        steps = [0, 95, 135, 175, 215, 255]
        n -= 16
        return "#%02x%02x%02x" % (steps[n // 36], steps[n // 6 % 6], steps[n % 6])
    if codes and 30 <= codes[0] <= 37:
        return BASIC[codes[0] - 30]
    if codes and 90 <= codes[0] <= 97:
        return BRIGHT[codes[0] - 90]
    return None


def spans(line, style):
    """The pieces of a line with their styles; the style goes on in the next line."""
    for piece in re.finditer(r"([^\x1b]*)(?:\x1b\[([\d;]*)m)?", line):
        text, codes = piece.groups()
        if text:
            yield text, dict(style)
        numbers = [int(code or 0) for code in codes.split(";")] if codes is not None else []
        while numbers:
            n = numbers[0]
            taken = 5 if numbers[:2] == [38, 2] else 3 if numbers[:2] == [38, 5] else 1
            if n == 0:
                style.clear()
            elif n == 1:
                style["font-weight"] = "bold"
            elif n == 2:
                style["opacity"] = "0.6"
            elif n == 3:
                style["font-style"] = "italic"
            elif n == 22:
                style.pop("font-weight", None), style.pop("opacity", None)
            elif n == 39:
                style.pop("fill", None)
            elif (found := colour(numbers)) is not None:
                style["fill"] = found
            numbers = numbers[taken:]


def main():
    out, rows, columns, command, *typed = sys.argv[1:]
    tmux("-f", "/dev/null", "new-session", "-d", "-s", "it", "-x", columns, "-y", rows, "env TERM=xterm-256color bash --norc")
    try:
        tmux("send-keys", "-t", "it", "PS1='$ '; clear", "Enter")
        still()
        for text in [command, *typed]:
            tmux("send-keys", "-t", "it", "-l", text)
            tmux("send-keys", "-t", "it", "Enter")
            picture = still()
        while not typed and not is_over():
            picture = still()
    finally:
        tmux("kill-server")
    lines, style = picture.rstrip("\n").split("\n"), {}
    width, height = int(columns) * CELL + 2 * PAD, len(lines) * LINE + 2 * PAD
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" font-size="14" '
        'font-family="ui-monospace, Menlo, Consolas, monospace" fill="#d0d7de">',
        f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#1c2128"/>',
    ]
    for row, line in enumerate(lines):
        at = 0
        for text, own in spans(line, style):
            look = "".join(f' {name}="{value}"' for name, value in own.items())
            x, y = PAD + at * CELL, PAD + (row + 0.75) * LINE
            if text.strip():
                length = f' textLength="{len(text) * CELL:.1f}"'
                words = html.escape(text).replace(" ", "\N{NO-BREAK SPACE}")  # a browser makes one of several spaces
                parts.append(f'<text x="{x:.1f}" y="{y:.1f}"{length}{look}>{words}</text>')
            at += len(text)
    parts.append("</svg>")
    pathlib.Path(out).write_text("\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
