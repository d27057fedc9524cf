"""Writes golden_recurrent.json: what PyTorch computes for small recurrent networks and their gradients, in float64.

Run in this folder; needs torch==2.15.0 (the CPU is enough). The format is that of golden.py. Inputs are x, weight_ih, weight_hh,
bias_ih, bias_hh, h0 and (LSTM) c0; outputs are the last states h and (LSTM) c, then all states, which are left out where
sequences differ in length (PyTorch pads with zeros, aetrain with the last state). attrs.lengths are those lengths.
"""

import json

import torch
from torch.nn.utils.rnn import pack_padded_sequence

TORCH = "2.15.0"
assert torch.__version__.split("+")[0] == TORCH, f"golden_recurrent.json is made with torch {TORCH}, this is {torch.__version__}"
torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(1)
cases = []


def normal(*shape):
    """Normal numbers of three decimals, so that the file holds them exactly."""
    return torch.round(torch.randn(*shape, generator=generator), decimals=3)


def packed(t):
    t = t.detach()
    return {"shape": list(t.shape), "data": [float(f"{v:.9g}") for v in t.flatten().tolist()]}


def check(case, op, kind, gates, n, t, d, h, reverse=False, lengths=None):
    x = normal(n, t, d).requires_grad_()
    weights = [normal(gates * h, d), normal(gates * h, h), normal(gates * h), normal(gates * h)]
    states = [normal(n, h).requires_grad_() for _ in range(2 if op == "lstm" else 1)]
    net = kind(d, h, batch_first=True)
    for name, w in zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), weights):
        getattr(net, name).data.copy_(w)
    fed = x.flip(1) if reverse else x
    if lengths:
        fed = pack_padded_sequence(fed, lengths, batch_first=True, enforce_sorted=False)
    start = tuple(s[None] for s in states)
    y, last = net(fed, start if op == "lstm" else start[0])
    outputs = [s[0] for s in (last if op == "lstm" else (last,))]
    if not lengths:
        outputs.append(y.flip(1) if reverse else y)
    leaves = [x, net.weight_ih_l0, net.weight_hh_l0, net.bias_ih_l0, net.bias_hh_l0, *states]
    seeds = [normal(*o.shape) for o in outputs]
    attrs = {"reverse": reverse, "lengths": lengths or []}
    grads = torch.autograd.grad(outputs, leaves, seeds)
    row = {"case": case, "op": op, "attrs": attrs, "inputs": list(map(packed, leaves)), "outputs": list(map(packed, outputs))}
    row["grad_outputs"], row["grad_inputs"] = list(map(packed, seeds)), list(map(packed, grads))
    cases.append(row)


for op, kind, gates in (("lstm", torch.nn.LSTM, 4), ("gru", torch.nn.GRU, 3), ("rnn", torch.nn.RNN, 1)):
    check("plain", op, kind, gates, 2, 4, 3, 5)
    check("one unit, one time", op, kind, gates, 1, 1, 2, 1)
    check("reverse", op, kind, gates, 3, 5, 2, 3, reverse=True)
    check("lengths", op, kind, gates, 4, 5, 2, 3, lengths=[5, 2, 4, 1])

with open("golden_recurrent.json", "w") as f:
    rows = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    f.write(f'{{"torch":"{TORCH}","cases":[\n{rows}\n]}}\n')
