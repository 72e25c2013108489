#!/usr/bin/env python3
"""Draws docs/images/*.svg from benchmarks/results/curves-*.jsonl, with nothing but Python's own library.

A file of curves has one line for each run of `gptoss bench --json`, as benchmarks/curves.sh writes them.

    python3 benchmarks/plot.py
"""

import json
import pathlib
import statistics

HERE = pathlib.Path(__file__).parent
IMAGES = HERE.parent / "docs" / "images"
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 340, 56, 48, 40, 150
COLOURS = ["#3b6fb6", "#c0532f", "#2f8f5b", "#8a5bb0"]


def runs():
    for file in sorted((HERE / "results").glob("curves-*.jsonl")):
        for line in file.read_text().splitlines():
            yield json.loads(line)


def curves(points_of):
    """The curves by their name, precision and how keys and values are stored; what several runs measured, as median."""
    found = {}
    for run in runs():
        curve = found.setdefault(f"{run['precision']}, keys in {run['kv']}", {})
        for place, value in points_of(run).items():
            curve.setdefault(place, []).append(value)
    return {
        name: [(place, statistics.median(values)) for place, values in sorted(curve.items())]
        for name, curve in found.items()
        if len(curve) > 1
    }


def behind_context(run):
    at = run["decode_at_context"]
    return {256: at["short_decode_tok_per_s"], at["tokens"]: at["decode_tok_per_s"]} if at else {}


def of_streams(run):
    many = run["decode_of_streams"]
    return {1: many["alone_tok_per_s"], many["streams"]: many["total_tok_per_s"]} if many else {}


def nice_step(top):
    """A step of 1, 2 or 5 times a power of ten that divides an axis into four to eight."""
    step = 10.0 ** len(str(int(top)))
    for divisor in (2, 2.5, 2, 2, 2.5, 2, 2, 2.5, 2):
        if top / step >= 4:
            break
        step /= divisor
    return step


def draw(name, title, x_label, y_label, lines, places):
    """One chart; places are the marks of the x axis, evenly apart."""
    top = max(value for points in lines.values() for _, value in points)
    step = nice_step(top)
    top = step * -(-top // step)
    x_of = {p: LEFT + 24 + i * (WIDTH - LEFT - RIGHT - 48) / max(1, len(places) - 1) for i, p in enumerate(places)}
    y_of = lambda value: HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP)
    text = lambda x, y, words, more="": f'<text x="{x:.1f}" y="{y:.1f}" {more}>{words}</text>'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12" fill="#444">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        text(LEFT, 22, title, 'font-size="14" font-weight="bold"'),
        text(WIDTH - RIGHT, HEIGHT - 10, x_label, 'text-anchor="end"'),
        text(LEFT, 36, y_label),
    ]
    value = 0
    while value <= top + step / 2:
        y = y_of(value)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(text(LEFT - 8, y + 4, f"{value:g}", 'text-anchor="end"'))
        value += step
    for place, x in x_of.items():
        parts.append(text(x, HEIGHT - BOTTOM + 18, f"{place:,}", 'text-anchor="middle"'))
    taken = HEIGHT  # the place of the label below
    for i, (label, points) in enumerate(sorted(lines.items(), key=lambda line: line[1][-1][1])):
        colour = COLOURS[i % len(COLOURS)]
        path = "L".join(f"{x_of[p]:.1f} {y_of(v):.1f}" for p, v in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x_of[p]:.1f}" cy="{y_of(v):.1f}" r="3.5" fill="{colour}"/>' for p, v in points]
        taken = min(y_of(points[-1][1]) + 4, taken - 14)
        parts.append(text(x_of[points[-1][0]] + 10, taken, label, f'fill="{colour}"'))
    parts.append("</svg>")
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / name).write_text("\n".join(parts) + "\n")
    print(IMAGES / name)


def main():
    for name, title, x_label, lines in (
        ("context.svg", "Writing behind a long context", "tokens of context", curves(behind_context)),
        ("streams.svg", "Many answers at once, all together", "answers at once", curves(of_streams)),
    ):
        places = sorted({place for points in lines.values() for place, _ in points})
        draw(name, title, x_label, "tokens a second", lines, places)


if __name__ == "__main__":
    main()
