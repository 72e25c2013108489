"""The parts of gpt-oss, each with its derivative.

Every function returns its result and a function `back`, which takes the gradient of the loss with respect to the
result and returns the gradients with respect to the inputs, in the order of the inputs. Activations are [rows, width];
a row is one token. Sources: the equations of docs/model.md.
"""

import math

import numpy as np


def linear(x, weight, bias):
    """y = x Wᵀ + b; weight is [outputs, inputs]."""

    def back(dy):
        return dy @ weight, dy.T @ x, dy.sum(0)

    return x @ weight.T + bias, back


def rms_norm(x, weight, eps):
    """y = x / √(mean(x²) + ε) · w, row by row."""
    scale = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + eps)
    normed = x * scale

    def back(dy):
        d = dy * weight
        return scale * (d - normed * (d * normed).mean(-1, keepdims=True)), (dy * normed).sum(0)

    return normed * weight, back


def yarn_frequencies(config):
    """The angle per position of every pair of a head, and the factor m of cosine and sine."""
    rope, half = config["rope_scaling"], config["head_dim"] // 2
    theta, factor = config["rope_theta"], rope["factor"]

    def pair_with(turns):
        return half * math.log(rope["original_max_position_embeddings"] / (2 * math.pi * turns)) / math.log(theta)

    low = max(pair_with(rope["beta_fast"]), 0)
    high = min(pair_with(rope["beta_slow"]), config["head_dim"] - 1)
    pairs = np.arange(half)
    ramp = np.clip((pairs - low) / max(high - low, 0.001), 0, 1)
    base = theta ** (-pairs / half)
    return base * (1 - ramp) + base / factor * ramp, 0.1 * math.log(factor) + 1


def rotate(x, cosine, sine):
    """Turns the pairs (i, i + d/2) of every head; x is [sequences, tokens, heads, d]. It has no parameters, so that
    its derivative is the same turn backwards: rotate(dy, cosine, -sine)."""
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([a * cosine - b * sine, b * cosine + a * sine], axis=-1)


def attention(q, k, v, sinks, visible):
    """Softmax over the visible keys and one sink per query head, which takes its share and gives no value.

    q is [sequences, tokens, heads, d]; k and v are [sequences, keys, kv heads, d]; visible is [sequences, tokens,
    keys].
    """
    n, tokens, heads, d = q.shape
    keys, groups = k.shape[1], k.shape[2]
    share = heads // groups  # neighbouring query heads read the same keys

    def by_group(x):  # [n, tokens, heads, d] -> [n, groups, share * tokens, d]
        return x.reshape(n, tokens, groups, share, d).transpose(0, 2, 3, 1, 4).reshape(n, groups, share * tokens, d)

    def by_token(x):
        return x.reshape(n, groups, share, tokens, d).transpose(0, 3, 1, 2, 4).reshape(n, tokens, heads, d)

    q, k, v = by_group(q), k.transpose(0, 2, 1, 3), v.transpose(0, 2, 1, 3)
    scores = (q @ k.swapaxes(-1, -2) * d**-0.5).reshape(n, groups, share, tokens, keys)
    scores = np.where(visible[:, None, None], scores, -np.inf)
    sink = sinks.reshape(1, groups, share, 1, 1)
    largest = np.maximum(scores.max(-1, keepdims=True), sink)
    weights = np.exp(scores - largest)
    at_sink = np.exp(sink - largest)
    total = weights.sum(-1, keepdims=True) + at_sink
    weights /= total
    at_sink /= total
    flat = weights.reshape(n, groups, share * tokens, keys)

    def back(dy):
        dy = by_group(dy)
        dv = flat.swapaxes(-1, -2) @ dy
        dweights = (dy @ v.swapaxes(-1, -2)).reshape(weights.shape)
        mean = (dweights * weights).sum(-1, keepdims=True)
        dscores = (weights * (dweights - mean)).reshape(flat.shape) * d**-0.5
        dsinks = -(at_sink * mean).sum((0, 3, 4)).reshape(heads)
        dk = dscores.swapaxes(-1, -2) @ q
        return by_token(dscores @ k), dk.transpose(0, 2, 1, 3), dv.transpose(0, 2, 1, 3), dsinks

    return by_token(flat @ v), back


def swiglu(u, limit, alpha=1.702):
    """gate · σ(α gate) · (lin + 1), with gate and linear values alternating and both clamped."""
    gate, lin = np.minimum(u[:, 0::2], limit), np.clip(u[:, 1::2], -limit, limit)
    sigmoid = 1 / (1 + np.exp(-alpha * gate))
    silu = gate * sigmoid

    def back(dy):
        du = np.empty_like(u)
        du[:, 0::2] = dy * (lin + 1) * (sigmoid + alpha * silu * (1 - sigmoid)) * (u[:, 0::2] <= limit)
        du[:, 1::2] = dy * silu * (np.abs(u[:, 1::2]) <= limit)
        return du

    return silu * (lin + 1), back


def experts(x, scores, up, up_bias, down, down_bias, chosen_count, limit):
    """Every row goes through the experts with its highest scores, weighted by the softmax over those alone.

    scores is [rows, experts], up [experts, 2I, H], down [experts, H, I]. Rows are gathered by expert.
    """
    chosen = np.argsort(-scores, axis=1, kind="stable")[:, :chosen_count]
    weights = np.take_along_axis(scores, chosen, 1)
    weights = np.exp(weights - weights.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    y, steps = np.zeros_like(x), []
    for e in range(len(up)):
        rows, places = np.nonzero(chosen == e)
        gathered = x[rows]
        hidden, back_swiglu = swiglu(gathered @ up[e].T + up_bias[e], limit)
        out = hidden @ down[e].T + down_bias[e]
        y[rows] += weights[rows, places, None] * out
        steps.append((rows, places, gathered, hidden, out, back_swiglu))

    def back(dy):
        dx, dweights = np.zeros_like(x), np.empty_like(weights)
        dup, dup_bias, ddown, ddown_bias = (np.empty_like(p) for p in (up, up_bias, down, down_bias))
        for e, (rows, places, gathered, hidden, out, back_swiglu) in enumerate(steps):
            dy_rows = dy[rows]
            dweights[rows, places] = (dy_rows * out).sum(1)
            dout = dy_rows * weights[rows, places, None]
            ddown[e], ddown_bias[e] = dout.T @ hidden, dout.sum(0)
            du = back_swiglu(dout @ down[e])
            dup[e], dup_bias[e] = du.T @ gathered, du.sum(0)
            dx[rows] += du @ up[e]
        dscores = np.zeros_like(scores)
        inner = weights * (dweights - (dweights * weights).sum(1, keepdims=True))
        np.put_along_axis(dscores, chosen, inner, 1)
        return dx, dscores, dup, dup_bias, ddown, ddown_bias

    return y, back


def cross_entropy(logits, targets):
    """The mean of −ln p(target) over the rows, in nats."""
    rows = np.arange(len(targets))
    shifted = logits - logits.max(1, keepdims=True)
    probabilities = np.exp(shifted)
    total = probabilities.sum(1, keepdims=True)
    loss = (np.log(total[:, 0]) - shifted[rows, targets]).mean()

    def back():
        d = probabilities / total
        d[rows, targets] -= 1
        return d / len(targets)

    return loss, back
