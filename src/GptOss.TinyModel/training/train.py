"""Trains a model of the kind of gpt-oss-tiny.

    train.py --check                 compares every gradient with finite differences
    train.py --short  --out FOLDER   sums alone in a small shape, minutes
    train.py          --out FOLDER   everything in the shape of gpt-oss-tiny, hours
"""

import argparse
import itertools
import math
import random
import time
from pathlib import Path

import numpy as np

import bpe
import evaluate
import export
import layers
import model
import mxfp4
import shapes
import skills


def batches(tokenizer, conversations, rows, length):
    """Packed conversations without end: tokens, positions, numbers of conversations, places and targets of the loss.

    A row takes conversations as long as they fit. The loss is on the assistant's tokens alone: the model learns to
    answer, not to ask.
    """
    pad, left_over = tokenizer.markers["<|endoftext|>"], None
    while True:
        tokens, positions = np.full((rows, length), pad), np.tile(np.arange(length), (rows, 1))
        numbers, learned = np.full((rows, length), -1), np.zeros((rows, length), bool)
        for row in range(rows):
            at = 0
            for number in itertools.count():
                if left_over is None:
                    example = next(conversations)
                    left_over = tokenizer.encode(example.prompt), tokenizer.encode(example.answer)
                prompt, answer = left_over
                count = len(prompt) + len(answer)
                if count > length:  # too long for any row
                    left_over = None
                    continue
                if at + count > length:
                    break
                tokens[row, at : at + count] = prompt + answer
                positions[row, at : at + count] = np.arange(count)
                numbers[row, at : at + count] = number
                learned[row, at + len(prompt) - 1 : at + count - 1] = True
                at, left_over = at + count, None
        places = np.flatnonzero(learned)
        yield tokens, positions, numbers, places, tokens.reshape(-1)[places + 1]


def loss_and_gradients(p, config, batch):
    tokens, positions, numbers, places, targets = batch
    logits, backward = model.forward(p, config, tokens, positions, numbers, wanted=places)
    loss, back = layers.cross_entropy(logits, targets)
    return loss, backward(back())


class AdamW:
    """Adam with decoupled decay of matrices (Loshchilov and Hutter 2017) and a bound on the gradient's length."""

    def __init__(self, p, betas=(0.9, 0.98), decay=0.05, bound=1.0):
        self.betas, self.decay, self.bound, self.steps = betas, decay, bound, 0
        self.means = {name: np.zeros_like(value) for name, value in p.items()}
        self.squares = {name: np.zeros_like(value) for name, value in p.items()}

    def step(self, p, gradients, rate):
        self.steps += 1
        length = math.sqrt(sum(float(np.vdot(g, g)) for g in gradients.values()))
        shrink = min(1.0, self.bound / (length + 1e-12))
        (b1, b2), t = self.betas, self.steps
        for name, value in p.items():
            g, mean, square = gradients[name] * shrink, self.means[name], self.squares[name]
            mean += (1 - b1) * (g - mean)
            square += (1 - b2) * (g * g - square)
            if value.ndim > 1 and not name.endswith("bias"):
                value *= 1 - rate * self.decay
            value -= rate / (1 - b1**t) * mean / (np.sqrt(square / (1 - b2**t)) + 1e-8)


def rate_at(done, highest, warm_up=0.05):
    """Rises in a line, then falls along a cosine to a twentieth of the highest; `done` runs from 0 to 1."""
    if done < warm_up:
        return highest * (done / warm_up + 0.02)
    fall = (done - warm_up) / (1 - warm_up)
    return highest * (0.05 + 0.475 * (1 + math.cos(math.pi * fall)))


def with_rounded_experts(p):
    """The parameters as a file will hold them, so that training meets the rounding. The gradient of the rounding is
    taken as 1 (the straight-through estimate), so that what is found for these goes to the exact ones."""
    return {name: mxfp4.rounded(value) if name.endswith("_proj") else value for name, value in p.items()}


def train(plan, steps, seed, minutes=math.inf, report=print):
    """Trains a model for so many steps, or minutes if they end first; returns parameters, configuration, tokenizer."""
    texts = (e.prompt + e.answer for e in itertools.islice(skills.material(random.Random(seed + 1)), plan.texts))
    tokenizer = bpe.train(texts, plan.tokens)
    config = shapes.config(plan, tokenizer)
    p = model.new_parameters(config, seed)
    material = skills.material(random.Random(seed), plan.skills, plan.efforts, plan.share_with_system)
    optimizer, losses, started = AdamW(p), [], time.monotonic()
    report("| step | loss | minutes |\n|---|---|---|")
    for batch in batches(tokenizer, material, plan.rows, plan.length):
        passed = (time.monotonic() - started) / 60
        done = max(len(losses) / steps, passed / minutes)
        if losses and (len(losses) % plan.report_every == 0 or done >= 1):
            report(f"| {len(losses)} | {np.mean(losses[-plan.report_every:]):.4f} | {passed:.1f} |", flush=True)
        if done >= 1:
            return p, config, tokenizer
        loss, gradients = loss_and_gradients(with_rounded_experts(p), config, batch)
        optimizer.step(p, gradients, rate_at(done, plan.rate))
        losses.append(loss)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--out", type=Path, help="the folder for the model's files")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--minutes", type=float, default=math.inf, help="ends by then, with the rate brought down")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--questions", type=int, default=200, help="held-out questions per line of the last table")
    arguments = parser.parse_args()
    if arguments.check:
        import check

        check.main()
        return
    plan = shapes.SHORT if arguments.short else shapes.FULL
    p, config, tokenizer = train(plan, arguments.steps or plan.steps, arguments.seed, arguments.minutes)
    if arguments.out:
        export.write(arguments.out, p, config, tokenizer)
    if arguments.questions:
        print()
        evaluate.table(with_rounded_experts(p), config, tokenizer, plan.evaluated, plan.efforts, arguments.questions)


if __name__ == "__main__":
    main()
