"""MXFP4: 32 neighbouring values share one power of two; each is one of ± 0, ½, 1, 1½, 2, 3, 4, 6 times it.

Source: OCP Microscaling Formats (MX) 1.0 for the numbers. The scale is the smallest power of two with which no value
of the block is clipped, and ties go to the even code, as OpenAI's own code rounds.
"""

import numpy as np

MAGNITUDES = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6], np.float32)
VALUES = np.concatenate([MAGNITUDES, -MAGNITUDES])
# A magnitude beyond the n-th border has a code beyond n. A value on a border goes to the even one of its two codes.
BORDERS = (MAGNITUDES[1:] + MAGNITUDES[:-1]) / 2


def _power(scales):
    return np.ldexp(np.float32(1), scales.astype(np.int32) - 127)


def encode(weights):
    """weights [..., inputs] -> codes [..., inputs] and scale bytes [..., inputs / 32]."""
    blocks = np.ascontiguousarray(weights, np.float32).reshape(*weights.shape[:-1], -1, 32)
    sixth = np.abs(blocks).max(-1) / np.float32(6)
    scales = ((sixth.view(np.uint32) + np.uint32(0x7FFFFF)) & np.uint32(0x7F800000)) >> np.uint32(23)
    scaled = np.abs(blocks) / _power(scales)[..., None]
    codes = np.zeros(blocks.shape, np.uint8)
    for n, border in enumerate(BORDERS):
        codes += (scaled > border) if n % 2 == 0 else (scaled >= border)
    codes += np.signbit(blocks) * np.uint8(8)
    return codes.reshape(weights.shape), scales.astype(np.uint8)


def decode(codes, scales):
    """The values of codes and scale bytes in float32."""
    values = VALUES[codes].reshape(*scales.shape, 32) * _power(scales)[..., None]
    return values.reshape(codes.shape)


def rounded(weights):
    """The weights as they come back from a file."""
    return decode(*encode(weights))


def pack(codes):
    """Two codes a byte, the low half first: [..., outputs, inputs] -> [..., outputs, inputs / 32, 16]."""
    pairs = codes.reshape(*codes.shape[:-1], -1, 16, 2)
    return pairs[..., 0] | pairs[..., 1] << 4


def unpack(blocks):
    """The opposite of pack."""
    codes = np.stack([blocks & 15, blocks >> 4], axis=-1)
    return codes.reshape(*blocks.shape[:-2], -1)
