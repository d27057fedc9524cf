"""Writes golden.json: what PyTorch computes for small cases of the ops, their gradients and the optimisers, in float64.

Run in this folder; needs torch==2.15.0 (the CPU is enough). One case a line:

    {"case": ..., "op": ..., "attrs": {...}, "inputs": [...], "outputs": [...], "grad_outputs": [...], "grad_inputs": [...]}

Tensors are {"shape": [...], "data": [...]}, row-major, 9 significant digits; inputs are exact as written. grad_outputs is
what the backward pass starts with, one for each of the first outputs; grad_inputs holds the gradient of each of the
first inputs. Attributes that have two axes are [height, width]. Optimisers have inputs [parameter, gradient of step 1,
gradient of step 2, ...] and outputs [parameter after step 1, after step 2, ...]; schedules have the learning rates.
"""

import json

import torch
from torch.nn import functional as F

TORCH = "2.15.0"
assert torch.__version__.split("+")[0] == TORCH, f"golden.json is made with torch {TORCH}, this is {torch.__version__}"
torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(1)
cases = []


def normal(*shape, scale=1.0):
    """Normal numbers of three decimals, so that the file holds them exactly."""
    return torch.round(torch.randn(*shape, generator=generator) * scale, decimals=3)


def uniform(*shape, low=0.0, high=1.0):
    return torch.round(low + (high - low) * torch.rand(*shape, generator=generator), decimals=3)


def packed(t):
    t = t.detach()
    return {"shape": list(t.shape), "data": [float(f"{v:.9g}") for v in t.flatten().tolist()]}


def record(case, op, attrs, inputs, outputs, grad_outputs=(), grad_inputs=()):
    row = {"case": case, "op": op, "attrs": attrs}
    row["inputs"], row["outputs"] = list(map(packed, inputs)), list(map(packed, outputs))
    row["grad_outputs"], row["grad_inputs"] = list(map(packed, grad_outputs)), list(map(packed, grad_inputs))
    cases.append(row)


def check(case, op, attrs, function, *inputs):
    """Records function(*inputs) and its gradients with respect to all inputs for a random seed."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    y = function(*leaves)
    seed = normal(*y.shape)
    record(case, op, attrs, inputs, [y], [seed], torch.autograd.grad(y, leaves, seed))


def convolutions():
    def conv(case, x, w, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1, bias=False):
        attrs = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        inputs = [normal(*x), normal(*w)] + ([normal(w[0])] if bias else [])
        check(case, "conv2d", attrs, lambda *a: F.conv2d(*a, **attrs), *inputs)

    conv("plain 3x3", (2, 2, 5, 4), (3, 2, 3, 3))
    conv("1x1", (2, 3, 3, 2), (4, 3, 1, 1), bias=True)
    conv("stride 2 padding 1, odd size, batch 1", (1, 2, 7, 5), (3, 2, 3, 3), (2, 2), (1, 1), bias=True)
    conv("4x4 stride 2 padding 1", (2, 1, 8, 6), (2, 1, 4, 4), (2, 2), (1, 1))
    conv("unequal stride, padding and kernel", (1, 2, 8, 7), (2, 2, 2, 3), (2, 3), (1, 2))
    conv("dilation", (1, 2, 7, 6), (2, 2, 3, 2), (1, 1), (2, 1), (2, 3))
    conv("dilation and stride", (1, 1, 9, 8), (2, 1, 3, 3), (2, 1), (1, 2), (3, 2))
    conv("two groups", (2, 4, 5, 4), (6, 2, 3, 3), (2, 1), (1, 1), groups=2, bias=True)
    conv("depthwise", (1, 3, 5, 5), (3, 1, 3, 3), (1, 1), (1, 1), groups=3)
    conv("padding wider than the image", (1, 1, 2, 3), (1, 1, 2, 2), (1, 1), (3, 3))

    def transpose(case, x, w, stride=(1, 1), padding=(0, 0), output_padding=(0, 0), dilation=(1, 1), groups=1, bias=False):
        attrs = {"stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation, "groups": groups}
        inputs = [normal(*x), normal(*w)] + ([normal(w[1] * groups)] if bias else [])
        check(case, "conv_transpose2d", attrs, lambda *a: F.conv_transpose2d(*a, **attrs), *inputs)

    transpose("plain 3x3", (2, 2, 3, 2), (2, 3, 3, 3))
    transpose("stride 2 padding 1 output padding 1", (2, 3, 3, 4), (3, 2, 3, 3), (2, 2), (1, 1), (1, 1), bias=True)
    transpose("4x4 stride 2 padding 1, batch 1", (1, 2, 3, 5), (2, 2, 4, 4), (2, 2), (1, 1))
    transpose("unequal stride and output padding", (1, 2, 3, 3), (2, 2, 2, 3), (2, 3), (0, 1), (1, 2))
    transpose("dilation", (1, 2, 4, 3), (2, 1, 3, 2), (1, 2), (1, 1), (1, 1), (2, 3))
    transpose("two groups", (2, 4, 3, 3), (4, 2, 3, 3), (2, 1), (1, 1), (1, 0), groups=2, bias=True)


def pools():
    def pool(case, op, function, x, **attrs):
        check(case, op, attrs, lambda a: function(a, **attrs), normal(*x))

    pool("2x2", "max_pool2d", F.max_pool2d, (2, 2, 4, 6), kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))
    pool("3x3 stride 2 padding 1, odd size", "max_pool2d", F.max_pool2d, (1, 2, 7, 5), kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
    pool("2x3 overlapping", "max_pool2d", F.max_pool2d, (1, 2, 4, 6), kernel_size=(2, 3), stride=(1, 2), padding=(0, 1))
    for include in (True, False):
        name = f"count_include_pad {str(include).lower()}"
        pool(f"2x2, {name}", "avg_pool2d", F.avg_pool2d, (2, 2, 4, 5), kernel_size=(2, 2), stride=(2, 2), padding=(0, 0), count_include_pad=include)
        pool(f"3x3 stride 2 padding 1, {name}", "avg_pool2d", F.avg_pool2d, (1, 2, 7, 5), kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), count_include_pad=include)
        pool(f"3x2 stride 1, {name}", "avg_pool2d", F.avg_pool2d, (1, 1, 4, 4), kernel_size=(3, 2), stride=(1, 1), padding=(1, 1), count_include_pad=include)

    for mode, align in (("nearest", None), ("bilinear", False)):
        for shape, scale in (((2, 2, 2, 3), (2, 2)), ((1, 2, 3, 2), (3, 2)), ((1, 1, 1, 4), (2, 3))):
            attrs = {"scale": scale, "mode": mode}
            check(f"{mode} {scale[0]}x{scale[1]}", "upsample2d", attrs, lambda a: F.interpolate(a, scale_factor=scale, mode=mode, align_corners=align), normal(*shape))


def norms():
    for shape in ((6, 3), (2, 3, 3, 2)):
        x, gamma, beta = normal(*shape, scale=2), normal(3), normal(3)
        mean, var = normal(3), uniform(3, low=0.5, high=2)
        attrs = {"eps": 1e-5, "momentum": 0.1}
        for training in (True, False):
            leaves = [t.clone().requires_grad_() for t in (x, gamma, beta)]
            new_mean, new_var = mean.clone(), var.clone()
            y = F.batch_norm(leaves[0], new_mean, new_var, *leaves[1:], training=training, **attrs)
            seed = normal(*shape)
            name = f"{'training' if training else 'inference'} {'x'.join(map(str, shape))}"
            record(name, "batch_norm", {**attrs, "training": training}, [x, gamma, beta, mean, var], [y, new_mean, new_var], [seed], torch.autograd.grad(y, leaves, seed))
    for shape in ((3, 5), (2, 2, 4)):
        check("x".join(map(str, shape)), "layer_norm", {"eps": 1e-5}, lambda x, g, b: F.layer_norm(x, shape[-1:], g, b, 1e-5), normal(*shape, scale=2), normal(shape[-1]), normal(shape[-1]))


def pointwise():
    x = torch.cat([normal(12, scale=2), torch.tensor([-40.0, -7.0, -1e-3, 1e-3, 7.0, 40.0])]).reshape(3, 6)
    for name, attrs, function in (
        ("gelu", {"approximate": "none"}, F.gelu),
        ("softplus", {}, F.softplus),
        ("sigmoid", {}, torch.sigmoid),
        ("tanh", {}, torch.tanh),
        ("silu", {}, F.silu),
        ("elu", {"alpha": 1.0}, F.elu),
        ("leaky_relu", {"negative_slope": 0.01}, F.leaky_relu),
        ("erf", {}, torch.erf),
    ):
        check("both signs, small and large", name, attrs, function, x)
    for axis in (-1, 1):
        y = normal(2, 3, 4, scale=3)
        check(f"axis {axis}", "softmax", {"axis": axis}, lambda a: F.softmax(a, axis), y)
        check(f"axis {axis}", "log_softmax", {"axis": axis}, lambda a: F.log_softmax(a, axis), y)
    for ta, tb in ((False, False), (True, False), (False, True), (True, True)):
        a, b = normal(2, *((4, 3) if ta else (3, 4))), normal(2, *((5, 4) if tb else (4, 5)))
        check(f"batched, transposed {ta} {tb}".lower(), "matmul", {"transpose_a": ta, "transpose_b": tb}, lambda a, b: (a.mT if ta else a) @ (b.mT if tb else b), a, b)


def losses():
    logits = torch.cat([normal(9, scale=3), torch.tensor([-50.0, 0.0, 50.0])]).reshape(3, 4)
    target = torch.cat([uniform(9), torch.tensor([1.0, 0.5, 0.0])]).reshape(3, 4)
    check("element by element", "bce_with_logits", {"reduction": "none"}, lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction="none"), logits, target)
    check("element by element", "mse", {"reduction": "none"}, lambda x, y: F.mse_loss(x, y, reduction="none"), normal(3, 4), normal(3, 4))

    def kl(mu, log_var):
        q = torch.distributions.Normal(mu, torch.exp(0.5 * log_var))
        return torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(-1)

    check("to the standard normal, nats per example", "gaussian_kl", {}, kl, normal(4, 5), normal(4, 5))


def optimizers():
    def run(case, op, make, **attrs):
        start, gradients = normal(4), [normal(4) for _ in range(5)]
        p = start.clone().requires_grad_()
        optimizer, after = make([p], **attrs), []
        for g in gradients:
            p.grad = g.clone()
            optimizer.step()
            after.append(p.detach().clone())
        record(case, op, attrs, [start, *gradients], after)

    adam = {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8}
    run("plain", "adam", torch.optim.Adam, **adam, weight_decay=0.0)
    run("weight decay in the gradient", "adam", torch.optim.Adam, **adam, weight_decay=0.1)
    run("other betas, large eps", "adam", torch.optim.Adam, lr=0.1, betas=(0.5, 0.9), eps=0.1, weight_decay=0.0)
    run("decoupled weight decay", "adamw", torch.optim.AdamW, **adam, weight_decay=0.1)
    run("plain", "sgd", torch.optim.SGD, lr=0.1, momentum=0.0, weight_decay=0.0)
    run("weight decay", "sgd", torch.optim.SGD, lr=0.1, momentum=0.0, weight_decay=0.1)
    run("plain", "momentum", torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=0.0)
    run("weight decay", "momentum", torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=0.1)
    run("plain", "rmsprop", torch.optim.RMSprop, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0)
    run("weight decay", "rmsprop", torch.optim.RMSprop, lr=0.01, alpha=0.9, eps=1e-8, weight_decay=0.1, momentum=0.0)
    run("momentum", "rmsprop", torch.optim.RMSprop, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.9)

    # PyTorch scales by max_norm / (norm + 1e-6), at most 1; the last output is the norm before.
    gradients = [normal(3, 2), normal(4), normal(1)]
    for max_norm in (1.0, 100.0):
        leaves = [torch.zeros_like(g).requires_grad_() for g in gradients]
        for leaf, g in zip(leaves, gradients):
            leaf.grad = g.clone()
        norm = torch.nn.utils.clip_grad_norm_(leaves, max_norm)
        record(f"max_norm {max_norm:g}", "clip_grad_norm", {"max_norm": max_norm, "eps": 1e-6}, gradients, [leaf.grad for leaf in leaves] + [norm])


def schedules():
    def run(case, op, make, epochs=12, **attrs):
        optimizer = torch.optim.SGD([torch.zeros(1).requires_grad_()], lr=0.1)
        schedule, rates = make(optimizer, **attrs), []
        for _ in range(epochs):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        record(case, op, {"lr": 0.1, **attrs}, [], [torch.tensor(rates)])

    s = torch.optim.lr_scheduler
    run("to zero", "cosine_schedule", s.CosineAnnealingLR, epochs=11, T_max=10, eta_min=0.0)
    run("to a tenth", "cosine_schedule", s.CosineAnnealingLR, epochs=11, T_max=10, eta_min=0.01)
    run("each 4", "step_schedule", s.StepLR, step_size=4, gamma=0.5)
    run("0.9", "exponential_schedule", s.ExponentialLR, gamma=0.9)


for write in (convolutions, pools, norms, pointwise, losses, optimizers, schedules):
    write()
with open("golden.json", "w") as f:
    rows = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    f.write(f'{{"torch":"{TORCH}","cases":[\n{rows}\n]}}\n')
