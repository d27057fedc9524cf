"""PyTorch's side of `aetrain bench -peers pytorch`: the networks of bench/throughput/rows, trained or run as fast as PyTorch does it.

It prints a line about itself and then answers each line of JSON on stdin by one on stdout:

    {"do": "open", "id": 1, "row": "vae-128", "device": "cuda:0", "mode": "eager", "precision": "float32", "batch": 128, "threads": 2}
    {"do": "warm", "id": 1, "seconds": 0.1, "steps": 3}
    {"do": "measure", "id": 1, "seconds": 1, "block": 0.1, "steps": 4}     -> {"blocks": [[steps, seconds], ...]}
    {"do": "close", "id": 1}

An answer of {"error": ...} leaves that side out. Batches lie in the device's memory before they are asked for; Adam is the fused
one, the loss the stable one of logits, nothing is read back; images go in the faster one of NCHW and channels-last.

    mode eager      as people write it
    mode compile    forward and loss by torch.compile
    mode graph      the whole step, optimizer included, recorded once as a CUDA graph and replayed (CUDA only)
"""

import gc
import json
import os
import platform
import sys
import time

import torch
import torch._dynamo
from torch import nn
from torch.nn import functional as F


class VAE(nn.Module):
    """encoder -> features, mu and log_var, decoder."""

    def __init__(self, encoder, features, latent, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.mu, self.log_var = nn.Linear(features, latent), nn.Linear(features, latent)

    def forward(self, x):
        h = self.encoder(x)
        mu, log_var = self.mu(h), self.log_var(h)
        return self.decoder(mu + torch.randn_like(mu) * torch.exp(0.5 * log_var)), mu, log_var

    def encode(self, x):
        return self.mu(self.encoder(x))


class ConvSame(nn.Conv2d):
    """3x3, stride 2, on even sizes: Keras' "same" puts the odd pixel behind."""

    def forward(self, x):
        return super().forward(F.pad(x, (0, 1, 0, 1)))


class ConvTransposeSame(nn.ConvTranspose2d):
    """3x3, stride 2: twice the size, cut where ConvSame would have padded."""

    def forward(self, x):
        return super().forward(x)[:, :, : 2 * x.shape[2], : 2 * x.shape[3]]


def vae():
    return VAE(nn.Sequential(nn.Linear(784, 400), nn.ReLU()), 400, 20, nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784)))


def ae():
    return nn.Sequential(
        nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid()
    )


def conv_vae_28():
    encoder = nn.Sequential(
        ConvSame(1, 32, 3, 2), nn.ReLU(), ConvSame(32, 64, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(3136, 16), nn.ReLU()
    )
    decoder = nn.Sequential(
        nn.Linear(2, 3136), nn.ReLU(), nn.Unflatten(1, (64, 7, 7)), ConvTransposeSame(64, 64, 3, 2), nn.ReLU(),
        ConvTransposeSame(64, 32, 3, 2), nn.ReLU(), nn.ConvTranspose2d(32, 1, 3, padding=1),
    )  # fmt: skip
    return VAE(encoder, 16, 2, decoder)


def conv_vae(size):
    filters, encoder, last = (32, 64, 128, 256), [], 3
    for n in filters:
        encoder += [nn.Conv2d(last, n, 3, 2, 1), nn.BatchNorm2d(n), nn.LeakyReLU()]
        last = n
    side = size >> len(filters)
    flat = last * side * side
    decoder = [nn.Linear(128, flat), nn.Unflatten(1, (last, side, side))]
    for n in (128, 64, 32, 32):
        decoder += [nn.ConvTranspose2d(last, n, 3, 2, 1, 1), nn.BatchNorm2d(n), nn.LeakyReLU()]
        last = n
    return VAE(nn.Sequential(*encoder, nn.Flatten()), flat, 128, nn.Sequential(*decoder, nn.Conv2d(last, 3, 3, 1, 1)))


def elbo(reconstruction):
    def loss(model, x):
        recon, mu, log_var = model(x)
        return (reconstruction(recon.float(), x) - 0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp())) / len(x)

    return loss


nats = elbo(lambda logits, x: F.binary_cross_entropy_with_logits(logits, x, reduction="sum"))
squares = elbo(lambda recon, x: F.mse_loss(recon, x, reduction="sum"))


def mse(model, x):
    return F.mse_loss(model(x).float(), x)


# Network, loss, shape of an example, examples of a step, and how many of them are encoded (0: training).
ROWS = {
    "vae-128": (vae, nats, (784,), 128, 0),
    "vae-1024": (vae, nats, (784,), 1024, 0),
    "vae-8192": (vae, nats, (784,), 8192, 0),
    "ae-256": (ae, mse, (784,), 256, 0),
    "conv-vae-28": (conv_vae_28, nats, (1, 28, 28), 128, 0),
    "conv-vae-32": (lambda: conv_vae(32), squares, (3, 32, 32), 128, 0),
    "conv-vae-64": (lambda: conv_vae(64), squares, (3, 64, 64), 64, 0),
    "conv-vae-128": (lambda: conv_vae(128), squares, (3, 128, 128), 64, 0),
    "encode-10000": (vae, None, (784,), 10000, 10000),
}

BATCHES = 16  # in memory, taken in turn


def autocast(device, precision):
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=precision == "bf16")


def products(precision):
    """Whether float32 products may be computed in TF32."""
    torch.backends.cuda.matmul.allow_tf32 = precision != "float32"
    torch.backends.cudnn.allow_tf32 = precision != "float32"
    torch.backends.cudnn.benchmark = True


class Training:
    def __init__(self, q, layout):
        network, loss, shape, batch, _ = ROWS[q["row"]]
        self.batch = q.get("batch") or batch
        device, mode = q["device"], q["mode"]
        self.device = torch.device(device)
        torch.manual_seed(1)
        self.model = network().to(self.device, memory_format=layout)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, fused=True, capturable=mode == "graph")
        self.data = torch.rand(BATCHES, self.batch, *shape, device=self.device)
        if len(shape) == 3:
            self.data = [x.to(memory_format=layout) for x in self.data]
        self.position = 0

        def forward(x):
            with autocast(device, q["precision"]):
                return loss(self.model, x)

        self.forward = torch.compile(forward) if mode == "compile" else forward
        self.graph = self.record() if mode == "graph" else None

    def update(self, x):
        self.optimizer.zero_grad(set_to_none=True)
        self.forward(x).backward()
        self.optimizer.step()

    def record(self):
        """The recipe of PyTorch's notes on CUDA graphs: some steps on a side stream, then the one that is recorded."""
        self.x = self.data[0].clone()
        side = torch.cuda.Stream(self.device)
        side.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(side):
            for _ in range(4):
                self.update(self.x)
        torch.cuda.current_stream(self.device).wait_stream(side)
        self.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.forward(self.x).backward()
            self.optimizer.step()
        return graph

    def step(self):
        x = self.data[self.position % BATCHES]
        self.position += 1
        if self.graph:
            self.x.copy_(x)
            self.graph.replay()
        else:
            self.update(x)

    def sync(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def parameters(self):
        return sum(p.numel() for p in self.model.parameters())


class Encoding(Training):
    """Codes of examples in the host's memory: there and back."""

    def __init__(self, q, layout):
        network, _, shape, _, n = ROWS[q["row"]]
        n = q.get("batch") or n
        if q["mode"] == "graph":
            raise RuntimeError("encoding is not recorded: its input comes from the host")
        self.device = torch.device(q["device"])
        self.model = network().to(self.device).eval()
        self.x = torch.randint(0, 256, (n, *shape), dtype=torch.uint8)
        if self.device.type == "cuda":
            self.x = self.x.pin_memory()
        else:
            self.x = self.x.float() / 255
        self.precision = q["precision"]
        self.encode = torch.compile(self.model.encode) if q["mode"] == "compile" else self.model.encode

    def step(self):
        with torch.inference_mode(), autocast(self.device, self.precision):
            x = self.x.to(self.device, non_blocking=True)
            if x.dtype == torch.uint8:
                x = x.float() / 255
            self.encode(x).float().cpu()


def run(side, seconds, steps):
    """Steps for at least so long, and so many; returns their number and the time until the device has done them."""
    start, n = time.perf_counter(), 0
    while n < steps or time.perf_counter() - start < seconds:
        side.step()
        n += 1
    side.sync()
    return n, time.perf_counter() - start


def make(q, known):
    """Opens a side, in the faster one of the layouts that its data has; known is what was found for other modes of it."""
    kind = Encoding if ROWS[q["row"]][4] else Training
    case = (q["row"], q["device"], q["precision"], q.get("batch"))
    layouts = [torch.contiguous_format]
    if case in known:
        layouts = [known[case]]
    elif len(ROWS[q["row"]][2]) == 3:
        layouts.append(torch.channels_last)
    best = None
    for layout in layouts:
        side = kind(q, layout)
        run(side, 0, 5)
        n, seconds = run(side, 0.2 if len(layouts) > 1 else 0, 3)
        if best is None or seconds / n < best[0]:
            best = (seconds / n, side, layout)
    known[case] = best[2]
    return best[1], str(best[2]).removeprefix("torch.")


def machine():
    cpu = platform.processor()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as f:
            cpu = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), cpu)
    about = {"torch": torch.__version__, "python": platform.python_version(), "cpu": cpu, "cores": os.cpu_count()}
    if torch.cuda.is_available():
        about |= {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version(), "gpu": torch.cuda.get_device_name()}
    return about


def answer(q, sides, known):
    """What a request is answered."""
    if q["do"] == "open":
        if q["row"] not in ROWS:
            return {"error": f"there is no such network for PyTorch: {q['row']}"}
        if q.get("threads"):
            torch.set_num_threads(q["threads"])
        products(q["precision"])
        side, layout = make(q, known)
        sides[q["id"]] = (side, q["precision"])
        return {"parameters": side.parameters(), "layout": layout}
    if q["do"] == "close":
        sides.pop(q["id"], None)
        gc.collect()
        if not sides:
            torch._dynamo.reset()  # else one row's shapes would weigh on the next one's code
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return {}
    side, precision = sides[q["id"]]
    products(precision)
    if q["do"] == "warm":
        run(side, q["seconds"], q["steps"])
        return {}
    blocks, start, steps = [], time.perf_counter(), 0
    while steps < q["steps"] or time.perf_counter() - start < q["seconds"]:
        n, seconds = run(side, q["block"], 1)
        blocks.append((n, seconds))
        steps += n
    return {"blocks": blocks}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes to stderr

    def say(what):
        print(json.dumps(what), file=answers, flush=True)

    for name, value in {"automatic_dynamic_shapes": False, "recompile_limit": 256}.items():
        if hasattr(torch._dynamo.config, name):
            setattr(torch._dynamo.config, name, value)
    say(machine())
    sides, known = {}, {}
    for line in sys.stdin:
        try:
            say(answer(json.loads(line), sides, known))
        except Exception as e:  # noqa: BLE001: whatever it is, this side is left out
            say({"error": f"{type(e).__name__}: {str(e).strip().splitlines()[0] if str(e).strip() else ''}"})


if __name__ == "__main__":
    main()
