"""gpt-oss: parameters by their names in a checkpoint, and the pass forwards and backwards.

The pass is that of docs/model.md. Experts are held as [experts, outputs, inputs] under the names
`...experts.gate_up_proj` and `...experts.down_proj`; files.py turns them into MXFP4 blocks and scales and back.
"""

import numpy as np

import layers


def new_parameters(config, seed=0, dtype=np.float32):
    """Small random matrices, norms of ones, everything else zero."""
    random = np.random.default_rng(seed)
    hidden, inner, experts = config["hidden_size"], config["intermediate_size"], config["num_local_experts"]
    q, kv = (config[name] * config["head_dim"] for name in ("num_attention_heads", "num_key_value_heads"))
    depth = 2 * config["num_hidden_layers"]

    def matrix(*shape, scale=1.0):
        return (random.standard_normal(shape) * scale * shape[-1] ** -0.5).astype(dtype)

    def zeros(*shape):
        return np.zeros(shape, dtype)

    p = {"model.embed_tokens.weight": matrix(config["vocab_size"], hidden, scale=hidden**0.5 * 0.1)}
    for n in range(config["num_hidden_layers"]):
        at = f"model.layers.{n}."
        p[at + "input_layernorm.weight"] = np.ones(hidden, dtype)
        for name, width in (("q", q), ("k", kv), ("v", kv)):
            p[at + f"self_attn.{name}_proj.weight"] = matrix(width, hidden)
            p[at + f"self_attn.{name}_proj.bias"] = zeros(width)
        p[at + "self_attn.o_proj.weight"] = matrix(hidden, q, scale=depth**-0.5)
        p[at + "self_attn.o_proj.bias"] = zeros(hidden)
        p[at + "self_attn.sinks"] = zeros(config["num_attention_heads"])
        p[at + "post_attention_layernorm.weight"] = np.ones(hidden, dtype)
        p[at + "mlp.router.weight"] = matrix(experts, hidden)
        p[at + "mlp.router.bias"] = zeros(experts)
        p[at + "mlp.experts.gate_up_proj"] = matrix(experts, 2 * inner, hidden)
        p[at + "mlp.experts.gate_up_proj_bias"] = zeros(experts, 2 * inner)
        p[at + "mlp.experts.down_proj"] = matrix(experts, hidden, inner, scale=depth**-0.5)
        p[at + "mlp.experts.down_proj_bias"] = zeros(experts, hidden)
    p["model.norm.weight"] = np.ones(hidden, dtype)
    p["lm_head.weight"] = matrix(config["vocab_size"], hidden)
    return p


class Cache:
    """Keys and values of every layer at their positions, for answers that grow token by token."""

    def __init__(self, config, sequences, positions):
        shape = (config["num_hidden_layers"], sequences, positions, config["num_key_value_heads"], config["head_dim"])
        self.keys, self.values = np.zeros(shape, np.float32), np.zeros(shape, np.float32)

    def store(self, layer, positions, k, v):
        """Keeps the rows' keys and values; returns those of all positions up to the last of them."""
        sequence, end = np.arange(len(positions))[:, None], positions.max() + 1
        self.keys[layer][sequence, positions] = k
        self.values[layer][sequence, positions] = v
        return self.keys[layer][:, :end], self.values[layer][:, :end]


def forward(p, config, tokens, positions, conversations=None, cache=None, wanted=None):
    """Logits [wanted rows, vocabulary] and the function that gives the gradient of every parameter.

    tokens and positions are [sequences, tokens]; `conversations` numbers the conversations packed in a sequence, which
    do not see each other; `wanted` are the places, counted over all sequences, whose logits are asked for.
    """
    eps, dtype = config["rms_norm_eps"], p["lm_head.weight"].dtype
    frequencies, m = layers.yarn_frequencies(config)
    angles = positions[..., None, None] * frequencies
    cosine, sine = (m * np.cos(angles)).astype(dtype), (m * np.sin(angles)).astype(dtype)
    key_positions = positions if cache is None else np.arange(positions.max() + 1)[None]
    distance = positions[:, :, None] - key_positions[:, None, :]
    visible = distance >= 0
    if conversations is not None:
        visible &= conversations[:, :, None] == conversations[:, None, :]
    near = visible & (distance < config["sliding_window"])

    x, steps = p["model.embed_tokens.weight"][tokens.reshape(-1)], []
    for n, kind in enumerate(config["layer_types"]):
        seen = near if kind == "sliding_attention" else visible
        y, back = _attention(p, config, n, x, positions, cosine, sine, seen, cache)
        x = x + y
        z, back_experts = _experts(p, config, n, x)
        x = x + z
        steps += [back, back_experts]
    rows = slice(None) if wanted is None else wanted
    last, back_norm = layers.rms_norm(x[rows], p["model.norm.weight"], eps)
    head = p["lm_head.weight"]

    def backward(dlogits):
        g = {"lm_head.weight": dlogits.T @ last}
        dx = np.zeros_like(x)
        dx[rows], g["model.norm.weight"] = back_norm(dlogits @ head)
        for back in reversed(steps):
            dx = dx + back(dx, g)
        g["model.embed_tokens.weight"] = np.zeros_like(p["model.embed_tokens.weight"])
        np.add.at(g["model.embed_tokens.weight"], tokens.reshape(-1), dx)
        return g

    return last @ head.T, backward


def _attention(p, config, n, x, positions, cosine, sine, visible, cache):
    at = f"model.layers.{n}."
    t, back_norm = layers.rms_norm(x, p[at + "input_layernorm.weight"], config["rms_norm_eps"])
    projected, backs = {}, {}
    for name in "qkv":
        weight, bias = (p[at + f"self_attn.{name}_proj.{part}"] for part in ("weight", "bias"))
        y, backs[name] = layers.linear(t, weight, bias)
        projected[name] = y.reshape(*positions.shape, -1, config["head_dim"])
    q, k = (layers.rotate(projected[name], cosine, sine) for name in "qk")
    v = projected["v"]
    if cache is not None:
        k, v = cache.store(n, positions, k, v)
    heads, back_heads = layers.attention(q, k, v, p[at + "self_attn.sinks"], visible)
    flat = heads.reshape(len(x), -1)
    out, back_out = layers.linear(flat, p[at + "self_attn.o_proj.weight"], p[at + "self_attn.o_proj.bias"])

    def back(dy, g):
        dheads, g[at + "self_attn.o_proj.weight"], g[at + "self_attn.o_proj.bias"] = back_out(dy)
        dq, dk, dv, g[at + "self_attn.sinks"] = back_heads(dheads.reshape(heads.shape))
        dt = 0
        for name, d in (("q", layers.rotate(dq, cosine, -sine)), ("k", layers.rotate(dk, cosine, -sine)), ("v", dv)):
            part, dweight, dbias = backs[name](d.reshape(len(x), -1))
            g[at + f"self_attn.{name}_proj.weight"], g[at + f"self_attn.{name}_proj.bias"] = dweight, dbias
            dt = dt + part
        dx, g[at + "input_layernorm.weight"] = back_norm(dt)
        return dx

    return out, back


def _experts(p, config, n, x):
    at = f"model.layers.{n}."
    t, back_norm = layers.rms_norm(x, p[at + "post_attention_layernorm.weight"], config["rms_norm_eps"])
    scores, back_router = layers.linear(t, p[at + "mlp.router.weight"], p[at + "mlp.router.bias"])
    names = [at + "mlp.experts." + s for s in ("gate_up_proj", "gate_up_proj_bias", "down_proj", "down_proj_bias")]
    weights = [p[name] for name in names]
    y, back_experts = layers.experts(
        t, scores, *weights, config["num_experts_per_tok"], config["swiglu_limit"]
    )

    def back(dy, g):
        dt, dscores, *dweights = back_experts(dy)
        g.update(zip(names, dweights))
        drouted, g[at + "mlp.router.weight"], g[at + "mlp.router.bias"] = back_router(dscores)
        dx, g[at + "post_attention_layernorm.weight"] = back_norm(dt + drouted)
        return dx

    return y, back
