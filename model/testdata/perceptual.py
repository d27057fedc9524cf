"""Writes perceptual.safetensors, a small network as PyTorch names it, and perceptual.json: losses of TestPerceptualIsPyTorchs and
the gradient of one of them. Needs torch and safetensors."""

import json
import math
import pathlib

import torch
from safetensors.torch import save_file

torch.manual_seed(3)
torch.set_default_dtype(torch.float64)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.features = torch.nn.Sequential(
            torch.nn.Conv2d(2, 3, 3, stride=2, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU()
        )

    def forward(self, x):
        outs = []
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in (1, 3):
                outs.append(x)
        return outs


net = Net().float().double()  # the numbers are stored as float32
here = pathlib.Path(__file__).parent
save_file({k: v.float().contiguous() for k, v in net.state_dict().items()}, str(here / "perceptual.safetensors"))

n = 2 * 2 * 9 * 8
x = torch.tensor([0.5 + 0.5 * math.sin(0.7 * i) for i in range(n)]).reshape(2, 2, 9, 8)
recon = torch.tensor([0.5 + 0.5 * math.cos(0.4 * i) for i in range(n)]).reshape(2, 2, 9, 8).requires_grad_()
mean, std = torch.tensor([0.4, 0.5]).reshape(1, 2, 1, 1), torch.tensor([0.2, 0.3]).reshape(1, 2, 1, 1)
weights = [0.5, 2.0]
a, b = net((x - mean) / std), net((recon - mean) / std)
each = lambda d: d.flatten(1)
square = [each((p - q) ** 2) for p, q in zip(a, b)]
unit = lambda v: v / torch.sqrt((v**2).sum(1, keepdim=True) + 1e-10)
lpips = [((unit(p) - unit(q)) ** 2).sum(1).mean((1, 2)) for p, q in zip(a, b)]
total = sum(w * s.sum(1) for w, s in zip(weights, square)) + 0.1 * each((x - recon) ** 2).sum(1)
total.sum().backward()
out = {
    "sum": total.tolist(),
    "mean": (sum(w * s.mean(1) for w, s in zip(weights, square)) + 0.1 * each((x - recon) ** 2).mean(1)).tolist(),
    "unit": sum(w * s for w, s in zip(weights, lpips)).tolist(),
    "gradient": recon.grad.flatten()[::7].tolist(),
}
(here / "perceptual.json").write_text(json.dumps(out, indent=1) + "\n")
