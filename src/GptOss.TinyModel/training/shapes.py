"""The shapes of models, and how each is trained."""

from dataclasses import dataclass

import functions
import skills


@dataclass
class Plan:
    hidden: int
    inner: int
    layers: int
    heads: int
    steps: int
    rows: int
    length: int
    rate: float
    report_every: int
    skills: tuple
    efforts: tuple
    evaluated: tuple
    share_with_system: float = 0.9
    tokens: int = 944
    texts: int = 4000


EVERY_SKILL = (*skills.SKILLS, *functions.SKILLS)

FULL = Plan(
    hidden=192, inner=128, layers=6, heads=8, steps=12000, rows=8, length=512, rate=2e-3, report_every=100,
    skills=EVERY_SKILL, efforts=skills.EFFORTS, evaluated=EVERY_SKILL,
)  # fmt: skip

SHORT = Plan(
    hidden=96, inner=64, layers=3, heads=4, steps=1500, rows=8, length=160, rate=3e-3, report_every=100,
    skills=("add",), efforts=("medium",), evaluated=("add", "add three digits"), share_with_system=0.15,
)  # fmt: skip


def config(plan, tokenizer):
    """config.json of a model, in the words of Hugging Face."""
    kinds = ["sliding_attention", "full_attention"]
    used = len(tokenizer.ids) + len(tokenizer.markers)
    return {
        "architectures": ["GptOssForCausalLM"],
        "attention_bias": True,
        "attention_dropout": 0.0,
        "eos_token_id": tokenizer.markers["<|return|>"],
        "experts_per_token": 4,
        "head_dim": 32,
        "hidden_act": "silu",
        "hidden_size": plan.hidden,
        "initial_context_length": 4096,
        "initializer_range": 0.02,
        "intermediate_size": plan.inner,
        "layer_types": [kinds[n % 2] for n in range(plan.layers)],
        "max_position_embeddings": 131072,
        "model_type": "gpt_oss",
        "num_attention_heads": plan.heads,
        "num_experts_per_tok": 4,
        "num_hidden_layers": plan.layers,
        "num_key_value_heads": 2,
        "num_local_experts": 8,
        "output_router_logits": False,
        "pad_token_id": tokenizer.markers["<|endoftext|>"],
        "quantization_config": {
            "modules_to_not_convert": [
                "model.layers.*.self_attn",
                "model.layers.*.mlp.router",
                "model.embed_tokens",
                "lm_head",
            ],
            "quant_method": "mxfp4",
        },
        "rms_norm_eps": 1e-05,
        "rope_scaling": {
            "beta_fast": 32.0,
            "beta_slow": 1.0,
            "factor": 32.0,
            "original_max_position_embeddings": 4096,
            "rope_type": "yarn",
            "truncate": False,
        },
        "rope_theta": 150000,
        "router_aux_loss_coef": 0.9,
        "sliding_window": 128,
        "swiglu_limit": 7.0,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "vocab_size": -(-used // 32) * 32,
    }
