"""Keras' three autoencoders on MNIST, in PyTorch with Keras' conventions: glorot_uniform weights, zero biases, Adam
with eps 1e-7, "same" padding whose odd pixel is behind, and its figures (loss: mean over the epoch's batches while
training; val_loss: after the epoch).

    ae        784-128-64-128-784, ReLU, sigmoid; mean squared error; batch 256, 50 epochs, validation_split=0.2, which
              takes the LAST fifth of the 60,000 before shuffling
    conv-ae   keras.io/examples/vision/autoencoder: Conv32, pool, Conv32, pool, ConvT32 s2, ConvT32 s2, Conv1 sigmoid,
              28,353 parameters; mean binary cross-entropy a pixel; batch 128, 50 epochs, validated on the test split;
              --denoise-epochs 100 goes on with sigma 0.4 added once to both splits, clipped to [0, 1]
    conv-vae  keras.io/examples/generative/vae: Conv32 s2, Conv64 s2, FC16, z 2; FC3136, ConvT64 s2, ConvT32 s2, ConvT1;
              69,076 + 65,089 parameters; nats an image; batch 128, 30 epochs on all 70,000

    torch_keras.py ae --data DIR              one JSON object an epoch
"""

import argparse
import json
import math
import time

import torch
from torch import nn
from torch.nn import functional as F

import peer


class ConvSame(nn.Conv2d):
    """Conv2d with Keras' "same" padding: output = ceil(size / stride), the odd pixel behind."""

    def forward(self, x):
        pads = []
        for size, k, s in zip(x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1]):  # width, then height
            total = max((math.ceil(size / s) - 1) * s + k - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(F.pad(x, pads))


class ConvTransposeSame(nn.ConvTranspose2d):
    """ConvTranspose2d with Keras' "same" padding: output = size * stride, cut where ConvSame would have padded."""

    def forward(self, x):
        y = super().forward(x)
        (h, w), (sh, sw), (kh, kw) = x.shape[2:], self.stride, self.kernel_size
        top, left = max(kh - sh, 0) // 2, max(kw - sw, 0) // 2
        return y[:, :, top : top + h * sh, left : left + w * sw]


def ae():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(),
        nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28)),
    )  # fmt: skip


def conv_ae():
    """Ends in logits: binary_cross_entropy_with_logits applies the sigmoid."""
    return nn.Sequential(
        ConvSame(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), ConvSame(32, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        ConvTransposeSame(32, 32, 3, 2), nn.ReLU(), ConvTransposeSame(32, 32, 3, 2), nn.ReLU(), ConvSame(32, 1, 3),
    )  # fmt: skip


class ConvVAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            ConvSame(1, 32, 3, 2), nn.ReLU(), ConvSame(32, 64, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(3136, 16), nn.ReLU()
        )
        self.mu, self.log_var = nn.Linear(16, 2), nn.Linear(16, 2)
        self.decoder = nn.Sequential(
            nn.Linear(2, 3136), nn.ReLU(), nn.Unflatten(1, (64, 7, 7)), ConvTransposeSame(64, 64, 3, 2), nn.ReLU(),
            ConvTransposeSame(64, 32, 3, 2), nn.ReLU(), ConvTransposeSame(32, 1, 3),
        )  # fmt: skip

    def forward(self, x):
        h = self.encoder(x)
        mu, log_var = self.mu(h), self.log_var(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * log_var)
        return self.decoder(z), mu, log_var


def mse(model, x, target):
    loss = F.mse_loss(model(x), target)
    return loss, {}


def bce(model, x, target):
    loss = F.binary_cross_entropy_with_logits(model(x), target)
    return loss, {}


def elbo(model, x, target):
    logits, mu, log_var = model(x)
    reconstruction = F.binary_cross_entropy_with_logits(logits, target, reduction="sum") / len(x)
    kl = -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp()) / len(x)
    return reconstruction + kl, {"reconstruction": reconstruction.item(), "kl": kl.item()}


MODELS = {"ae": (ae, mse, 256, 50), "conv-ae": (conv_ae, bce, 128, 50), "conv-vae": (ConvVAE, elbo, 128, 30)}


def build(name, init):
    model = MODELS[name][0]()
    for m in model.modules() if init == "keras" else ():
        if isinstance(m, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.xavier_uniform_(m.weight)  # glorot_uniform
            nn.init.zeros_(m.bias)
    return model, torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7 if init == "keras" else 1e-8, fused=True)


def epoch_of(model, loss_of, optimizer, x, target, batch):
    """Trains one shuffled epoch, or evaluates without an optimizer; returns means over examples."""
    sums, rows = {}, torch.randperm(len(x)) if optimizer else torch.arange(len(x))
    for part in rows.split(batch):
        with torch.set_grad_enabled(optimizer is not None):
            loss, terms = loss_of(model, x[part], target[part])
        if optimizer:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        for key, value in {"loss": loss.item(), **terms}.items():
            sums[key] = sums.get(key, 0.0) + value * len(part)
    return {key: value / len(x) for key, value in sums.items()}


def run(name, phase, model, optimizer, train, validation, batch, epochs):
    loss_of = MODELS[name][1]
    for epoch in range(1, epochs + 1):
        start = time.perf_counter()
        row = {"phase": phase, "epoch": epoch, "train": epoch_of(model, loss_of, optimizer, *train, batch)}
        row["seconds"] = round(time.perf_counter() - start, 2)
        if validation:
            row["validation"] = epoch_of(model, loss_of, None, *validation, batch)
        print(json.dumps(row), flush=True)


def noisy(x):
    return (x + 0.4 * torch.randn_like(x)).clamp(0, 1)


def train(args):
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    x, test = peer.read_images(args.data, "train"), peer.read_images(args.data, "t10k")
    model, optimizer = build(args.model, args.init)
    _, _, batch, epochs = MODELS[args.model]
    print(json.dumps({**peer.machine(), "model": args.model, "seed": args.seed, "parameters": sum(p.numel() for p in model.parameters())}), flush=True)
    if args.model == "conv-vae":
        x = torch.cat([x, test])
        validation = None
    elif args.model == "conv-ae":
        validation = (test, test)
    else:
        cut = int(len(x) * 0.8)
        x, validation = x[:cut], (x[cut:], x[cut:])
    run(args.model, "train", model, optimizer, (x, x), validation, batch, args.epochs or epochs)
    if args.denoise_epochs:
        run(args.model, "denoise", model, optimizer, (noisy(x), x), (noisy(test), test), batch, args.denoise_epochs)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", choices=MODELS)
    p.add_argument("--data", required=True, help="folder of MNIST's IDX files, .gz or not")
    p.add_argument("--epochs", type=int, default=0, help="default: the example's")
    p.add_argument("--denoise-epochs", type=int, default=0, help="conv-ae only")
    p.add_argument("--init", choices=["keras", "torch"], default="keras")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    args = p.parse_args()
    if args.denoise_epochs and args.model != "conv-ae":
        p.error("--denoise-epochs is conv-ae's")
    train(args)


if __name__ == "__main__":
    main()
