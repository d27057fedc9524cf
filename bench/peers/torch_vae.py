"""The PyTorch examples' variational autoencoder (github.com/pytorch/examples, vae/main.py), eager, on the CPU.

Its recipe, as it stands there: 784-400-(20, 20)-400-784, ReLU, sigmoid; loss = binary cross-entropy with
reduction="sum" plus KL, both SUMMED over the batch, so that Adam (1e-3, defaults) sees gradients of the sum and not
of the mean; batch 128, the last batch of 96 kept, 10 epochs, no validation split; the figure printed is the sum over
the split divided by its length, and the test loss draws z, too. Adam does not depend on the gradient's scale but
through eps = 1e-8, so that a mean over the batch trains alike.

    torch_vae.py --data DIR       one JSON object an epoch
"""

import argparse
import json
import time

import torch
from torch import nn
from torch.nn import functional as F

import peer


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 400)
        self.fc21 = nn.Linear(400, 20)
        self.fc22 = nn.Linear(400, 20)
        self.fc3 = nn.Linear(20, 400)
        self.fc4 = nn.Linear(400, 784)

    def forward(self, x):
        h1 = F.relu(self.fc1(x))
        mu, log_var = self.fc21(h1), self.fc22(h1)
        std = torch.exp(0.5 * log_var)
        z = mu + torch.randn_like(std) * std
        return self.fc4(F.relu(self.fc3(z))), mu, log_var


def loss_function(x, logits, mu, log_var):
    """Nats summed over the batch, of the sigmoid, as the example has it."""
    reconstruction = F.binary_cross_entropy(torch.sigmoid(logits), x, reduction="sum")
    return reconstruction - 0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp())


def train(args):
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    train_x = peer.read_images(args.data, "train").flatten(1)
    test_x = peer.read_images(args.data, "t10k").flatten(1)
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    for epoch in range(1, args.epochs + 1):
        start, total = time.perf_counter(), 0.0
        for rows in torch.randperm(len(train_x)).split(args.batch):
            x = train_x[rows]
            optimizer.zero_grad()
            loss = loss_function(x, *model(x))
            loss.backward()
            total += loss.item()
            optimizer.step()
        seconds = time.perf_counter() - start
        with torch.no_grad():
            test = sum(loss_function(x, *model(x)).item() for x in test_x.split(args.batch))
        row = {"seed": args.seed, "epoch": epoch, "train": total / len(train_x), "test": test / len(test_x), "seconds": round(seconds, 2)}
        print(json.dumps(row), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--epochs", type=int, default=10)
    p.add_argument("--data", required=True, help="folder of MNIST's IDX files, .gz or not")
    train(p.parse_args())


if __name__ == "__main__":
    main()
