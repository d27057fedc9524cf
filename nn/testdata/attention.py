"""Writes attention.json: PyTorch's MultiheadAttention and TransformerEncoder, with their weights, in float64.

    python nn/testdata/attention.py > nn/testdata/attention.json
"""
import json

import torch
from torch import nn

torch.manual_seed(3)
torch.set_default_dtype(torch.float64)


def dump(t):
    return {"shape": list(t.shape), "data": [round(v, 12) for v in t.detach().flatten().tolist()]}


def case(name, layer, heads, causal, valid, module, rename):
    d, t, n = 8, 5, 3
    for p in module.parameters():  # norms start at 1 and biases at 0: move them
        p.data += 0.3 * torch.randn_like(p)
        p.data = (p.data * 1e6).round() / 1e6
    x = (torch.randn(n, t, d) * 1e6).round() / 1e6
    hidden = None if valid is None else torch.tensor(valid) == 0
    mask = nn.Transformer.generate_square_subsequent_mask(t).isinf() if causal else None
    if layer == "attention":
        y, _ = module(x, x, x, key_padding_mask=hidden, attn_mask=mask, need_weights=False)
    else:
        y = module(x, mask=mask, src_key_padding_mask=hidden)
    if hidden is not None:
        y = y.masked_fill(hidden[:, :, None], 0)
    params = {rename(k): dump(v) for k, v in module.named_parameters()}
    return {"name": name, "layer": layer, "heads": heads, "causal": causal, "depth": getattr(module, "num_layers", 0),
            "valid": valid, "x": dump(x), "y": dump(y), "params": params}


def encoder(heads, depth):
    block = nn.TransformerEncoderLayer(8, heads, 32, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
    return nn.TransformerEncoder(block, depth, norm=nn.LayerNorm(8), enable_nested_tensor=False).train()


lengths = [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]]
attention = lambda: nn.MultiheadAttention(8, 2, batch_first=True)
same, blocks = lambda k: "0." + k, lambda k: "0." + k.removeprefix("layers.")
print(json.dumps([
    case("attention", "attention", 2, False, None, attention(), same),
    case("attention, causal", "attention", 2, True, None, attention(), same),
    case("attention, lengths", "attention", 2, False, lengths, attention(), same),
    case("attention, causal, lengths", "attention", 2, True, lengths, attention(), same),
    case("transformer", "transformer", 4, False, None, encoder(4, 2), blocks),
    case("transformer, causal, lengths", "transformer", 1, True, lengths, encoder(1, 1), blocks),
]))
