"""A checkpoint in the layout of Hugging Face: safetensors with MXFP4 experts and bf16 for the rest."""

import json
import struct
from pathlib import Path

import numpy as np

import mxfp4

EXPERTS = ("mlp.experts.gate_up_proj", "mlp.experts.down_proj")


def to_bf16(x):
    """The upper halves of float32 values, rounded to the nearest and ties to even."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def from_bf16(halves):
    """Float32 values of bf16 halves."""
    return (halves.astype(np.uint32) << 16).view(np.float32)


def read_safetensors(path):
    """The tensors of a file by name, bf16 widened to float32."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header, tensors = json.loads(data[8 : 8 + length]), {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        if entry["dtype"] == "BF16":
            values = from_bf16(np.frombuffer(data[begin:end], "<u2"))
        else:
            values = np.frombuffer(data[begin:end], np.uint8)
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def write_safetensors(path, tensors):
    """Writes uint8 tensors as U8 and uint16 ones, which are bf16 halves, as BF16."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in tensors.items():
        kind = {np.dtype(np.uint8): "U8", np.dtype(np.uint16): "BF16"}[tensor.dtype]
        end = offset + tensor.nbytes
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    body = b"".join(tensor.tobytes() for tensor in tensors.values())
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + body)


def load(folder):
    """The configuration of a model and its parameters in float32, experts decoded."""
    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text())
    p = read_safetensors(folder / "model.safetensors")
    for name in [name.removesuffix("_blocks") for name in p if name.endswith("_blocks")]:
        p[name] = mxfp4.decode(mxfp4.unpack(p.pop(name + "_blocks")), p.pop(name + "_scales"))
    return config, p
