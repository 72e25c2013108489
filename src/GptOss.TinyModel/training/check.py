"""Compares every gradient of a small model in float64 with finite differences."""

import numpy as np

import model
import train

CONFIG = {
    "hidden_size": 16,
    "intermediate_size": 8,
    "num_hidden_layers": 2,
    "layer_types": ["sliding_attention", "full_attention"],
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "vocab_size": 24,
    "rms_norm_eps": 1e-5,
    "rope_theta": 150000,
    "rope_scaling": {"beta_fast": 32.0, "beta_slow": 1.0, "factor": 32.0, "original_max_position_embeddings": 4096},
    "sliding_window": 4,
    "swiglu_limit": 0.7,  # so low that values are clamped
}


def main(step=1e-6, tolerance=1e-6):
    random = np.random.default_rng(1)
    p = {name: value + 0.2 * random.standard_normal(value.shape)
         for name, value in model.new_parameters(CONFIG, dtype=np.float64).items()}  # fmt: skip
    tokens = random.integers(CONFIG["vocab_size"], size=(2, 12))
    positions = np.tile(np.r_[0:7, 0:5], (2, 1))  # two conversations in each row
    numbers = np.tile(np.r_[[0] * 7, [1] * 5], (2, 1))
    places = np.array([2, 3, 4, 5, 8, 9, 10, 14, 15, 21, 22])
    batch = tokens, positions, numbers, places, tokens.reshape(-1)[places + 1]
    _, gradients = train.loss_and_gradients(p, CONFIG, batch)
    worst, checked = 0.0, 0
    for name, value in p.items():
        for place in random.choice(value.size, size=min(4, value.size), replace=False):
            kept, losses = value.flat[place], []
            for moved in (kept + step, kept - step):
                value.flat[place] = moved
                losses.append(train.loss_and_gradients(p, CONFIG, batch)[0])
            value.flat[place] = kept
            difference = abs((losses[0] - losses[1]) / (2 * step) - gradients[name].flat[place])
            if difference > tolerance:
                raise SystemExit(f"{name}[{place}]: the gradient is off by {difference:.2e}")
            worst, checked = max(worst, difference), checked + 1
    print(f"{checked} gradients agree with finite differences; the largest difference is {worst:.1e}")
