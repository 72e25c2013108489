"""Writes a trained model as Hugging Face lays it out: MXFP4 experts, bf16 for the rest."""

import json
from pathlib import Path

import files
import mxfp4


def tensors(p):
    """The tensors of model.safetensors by name, in the order of the parameters."""
    stored = {}
    for name, value in p.items():
        if name.endswith(("gate_up_proj", "down_proj")):
            codes, stored[name + "_scales"] = mxfp4.encode(value)
            stored[name + "_blocks"] = mxfp4.pack(codes)
        else:
            stored[name] = files.to_bf16(value)
    return stored


def write(folder, p, config, tokenizer):
    """All files of a model in one folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    marker = tokenizer.markers
    files.write_safetensors(folder / "model.safetensors", tensors(p))
    tokenizer.save(folder / "tokenizer.json")
    stops = [marker[name] for name in ("<|return|>", "<|endoftext|>", "<|call|>")]
    contents = {
        "config.json": config,
        "generation_config.json": {
            "bos_token_id": marker["<|startoftext|>"],
            "do_sample": True,
            "eos_token_id": stops,
            "pad_token_id": marker["<|endoftext|>"],
        },
        "tokenizer_config.json": {
            "bos_token": "<|startoftext|>",
            "eos_token": "<|return|>",
            "pad_token": "<|endoftext|>",
            "clean_up_tokenization_spaces": False,
            "model_max_length": 131072,
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_input_names": ["input_ids", "attention_mask"],
        },
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
