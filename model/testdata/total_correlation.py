"""Writes total_correlation.json: the total correlation that beta-TCVAE penalises, by the minibatch-weighted sampling of Chen et al.
2018 (section 4.1 and appendix C.1, with the data set's size as there), and the gradients of its mean. Needs torch."""

import json
import math
import pathlib

import torch

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)

n, d, size = 5, 3, 1000  # batch, code, data set
normal = lambda scale: torch.round(torch.randn(n, d) * scale, decimals=3).requires_grad_()
mu, log_var, z = normal(1.0), normal(0.5), normal(1.5)

density = torch.distributions.Normal(mu[None], torch.exp(log_var / 2)[None]).log_prob(z[:, None])  # log q(z_id | x_j), i×j×d
joint = torch.logsumexp(density.sum(2), 1) - math.log(n * size)
marginals = (torch.logsumexp(density, 1) - math.log(n * size)).sum(1)
value = joint - marginals
gradients = torch.autograd.grad(value.mean(), [mu, log_var, z])

flat = lambda t: t.detach().flatten().tolist()
out = {"shape": [n, d], "size": [size], "mu": flat(mu), "log_var": flat(log_var), "z": flat(z), "value": flat(value)}
for name, gradient in zip(("d_mu", "d_log_var", "d_z"), gradients):
    out[name] = flat(gradient)
(pathlib.Path(__file__).parent / "total_correlation.json").write_text(json.dumps(out, indent=1) + "\n")
