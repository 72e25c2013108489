"""Greedy answers of a model, many prompts at once."""

import numpy as np

import model


def greedy(p, config, prompts, stops, most=200):
    """The ids that follow each prompt, up to and with a stop, by always taking the likeliest token.

    Prompts of unequal length share a pass: a shorter one is followed by fillers, whose keys lie beyond its own
    positions and so are unseen until the answer overwrites them.
    """
    count, longest = len(prompts), max(map(len, prompts))
    cache = model.Cache(config, count, longest + most)
    tokens = np.zeros((count, longest), np.int64)
    for n, prompt in enumerate(prompts):
        tokens[n, : len(prompt)] = prompt
    lengths = np.array([len(prompt) for prompt in prompts])
    positions = np.tile(np.arange(longest), (count, 1))
    logits, _ = model.forward(
        p, config, tokens, positions, cache=cache, wanted=np.arange(count) * longest + lengths - 1
    )
    answers, going = [[] for _ in prompts], np.arange(count)
    for step in range(most):
        chosen = logits.argmax(1)
        for n, token in zip(going, chosen):
            answers[n].append(int(token))
        stays = ~np.isin(chosen, stops)
        if not stays.any() or step == most - 1:
            break
        if not stays.all():
            going = going[stays]
            cache.keys, cache.values = cache.keys[:, stays], cache.values[:, stays]
        at = (lengths[going] + step)[:, None]
        logits, _ = model.forward(p, config, chosen[stays][:, None], at, cache=cache)
    return answers
