"""Asks a model held-out questions, greedy, and counts exact answers by skill and effort.

    evaluate.py --model ../model                    the table
    evaluate.py --model ../model --golden FILE      before it, how many golden answers come with the same ids
    evaluate.py --model ../model --logits 1,2,3     the logits of a prompt's last token, as `gptoss debug logits` does
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np

import answers
import bpe
import files
import functions
import model
import skills

STOPS = ("<|return|>", "<|endoftext|>", "<|call|>")


def said(answer):
    """The part that counts: the answer or the call, without the reasoning before it."""
    return answer.rsplit("<|channel|>", 1)[-1]


def score(p, config, tokenizer, skill, effort, count, seed=12345, at_once=50):
    """How many of the questions get exactly the answer they should."""
    drawn = random.Random(f"{seed} {skill} {effort}")
    examples = [skills.example(skill, effort, drawn, evaluating=True) for _ in range(count)]
    stops = [tokenizer.markers[stop] for stop in STOPS]
    right = 0
    for at in range(0, count, at_once):
        part = examples[at : at + at_once]
        found = answers.greedy(p, config, [tokenizer.encode(e.prompt) for e in part], stops)
        right += sum(said(tokenizer.decode(ids)) == said(e.answer) for ids, e in zip(found, part))
    return right


def table(p, config, tokenizer, names, efforts, count, report=print):
    """Prints exact answers by skill and effort as a table in Markdown; returns them."""
    report(f"| of {count} held-out questions | {' | '.join(efforts)} |\n|---|{'---|' * len(efforts)}")
    scores = {}
    for name in names:
        scores[name] = [score(p, config, tokenizer, name, effort, count) for effort in efforts]
        report(f"| {name} | {' | '.join(map(str, scores[name]))} |", flush=True)
    return scores


def golden(p, config, tokenizer, path):
    """How many prompts of a file are answered with exactly the ids that stand there, and how many there are."""
    cases = json.loads(Path(path).read_text())
    stops = [tokenizer.markers[stop] for stop in STOPS]
    found = answers.greedy(p, config, [case["prompt_tokens"] for case in cases], stops)
    return sum(ids == case["output_tokens"] for ids, case in zip(found, cases)), len(cases)


def logits(p, config, ids):
    """The logits of the last of these tokens by its position."""
    tokens, last = np.array([ids]), len(ids) - 1
    found, _ = model.forward(p, config, tokens, np.arange(len(ids))[None], wanted=[last])
    return {"logits": {str(last): [round(float(x), 6) for x in found[0]]}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--golden", type=Path)
    parser.add_argument("--logits", help="ids of a prompt, with commas")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--skills", nargs="+", default=[*skills.SKILLS, *functions.SKILLS])
    parser.add_argument("--efforts", nargs="+", default=skills.EFFORTS)
    arguments = parser.parse_args()
    config, p = files.load(arguments.model)
    if arguments.logits:
        print(json.dumps(logits(p, config, [int(i) for i in arguments.logits.split(",")])))
        return
    tokenizer = bpe.Tokenizer.load(arguments.model / "tokenizer.json")
    if arguments.golden:
        print("golden answers: {} of {}".format(*golden(p, config, tokenizer, arguments.golden)))
    if arguments.questions:
        table(p, config, tokenizer, arguments.skills, arguments.efforts, arguments.questions)


if __name__ == "__main__":
    main()
