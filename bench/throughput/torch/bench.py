"""PyTorch's side of `aetrain bench -peers pytorch`: the networks of bench/throughput/rows, trained or run as fast as PyTorch does it.

A peer prints a line about itself and then answers each line of JSON on stdin by one on stdout (../protocol.go is the same in Go):

    {"do": "ways", "row": "vae-128", "device": "cpu"}                      -> {"ways": ["eager", "compile"]}
    {"do": "open", "id": 1, "row": "vae-128", "device": "cpu", "way": "eager", "precision": "float32", "batch": 128, "threads": 2}
                                                                           -> {"parameters": 652824, "loss": 548.3}
    {"do": "warm", "id": 1, "seconds": 0.1, "steps": 3}                    -> {}
    {"do": "measure", "id": 1, "seconds": 1, "block": 0.1, "steps": 4}     -> {"blocks": [[steps, seconds], ...]}
    {"do": "close", "id": 1}                                               -> {}
    {"do": "memory"}                                                       -> {"peak_bytes": ...}

Ways are in what a row can be run here; an empty list leaves the row out, an answer of {"error": ...} that side. The loss is that of
the first batch with the first weights. Batches lie in the device's memory before they are asked for; Adam is the fused one, the loss
the stable one of logits, nothing is read back.

    eager            as people write it
    compile          forward and loss by torch.compile
    graph            the whole step, optimizer included, recorded once as a CUDA graph and replayed (CUDA only)
    ... nhwc         images as channels-last; on a GPU the faster layout is taken without being named
"""

import gc
import json
import os
import platform
import sys
import time

import torch
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


class Sequences(nn.Module):
    """An LSTM whose last state is the code, repeated for a second one."""

    def __init__(self, steps, features, hidden, latent):
        super().__init__()
        self.steps = steps
        self.encoder, self.code = nn.LSTM(features, hidden, batch_first=True), nn.Linear(hidden, latent)
        self.start, self.decoder = nn.Linear(latent, hidden), nn.LSTM(hidden, hidden, batch_first=True)
        self.out = nn.Linear(hidden, features)

    def forward(self, x):
        _, (h, _) = self.encoder(x)
        h = self.start(self.code(h[-1]))
        y, _ = self.decoder(h.unsqueeze(1).expand(-1, self.steps, -1))
        return self.out(y)


class Transformer(nn.Module):
    """Blocks of attention each way around one code of the whole sequence."""

    def __init__(self, steps, features, units, heads, depth, latent):
        super().__init__()

        def blocks():
            layer = nn.TransformerEncoderLayer(units, heads, 4 * units, 0.0, F.gelu, batch_first=True, norm_first=True)
            return nn.TransformerEncoder(layer, depth, nn.LayerNorm(units), enable_nested_tensor=False)

        self.steps, self.units = steps, units
        self.into, self.encoder, self.code = nn.Linear(features, units), blocks(), nn.Linear(steps * units, latent)
        self.start, self.decoder, self.out = nn.Linear(latent, steps * units), blocks(), nn.Linear(units, features)
        at = torch.arange(steps)[:, None] / 10000 ** (torch.arange(0, units, 2) / units)
        self.register_buffer("places", torch.stack([at.sin(), at.cos()], 2).reshape(steps, units))

    def forward(self, x):
        z = self.code(self.encoder(self.into(x) + self.places).flatten(1))
        y = self.start(z).view(-1, self.steps, self.units)
        return self.out(self.decoder(y + self.places))


class VQVAE(nn.Module):
    """The codebook follows by running means (van den Oord et al. 2017, appendix A.1); codes that hardly serve start anew."""

    codes, dim, decay, dead = 128, 32, 0.99, 0.05

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 4, 2, 1), nn.ReLU(), nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(),
            nn.Conv2d(64, self.dim, 1),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Conv2d(self.dim, 64, 1), nn.ReLU(), nn.ConvTranspose2d(64, 64, 3, 1, 1), nn.ReLU(),
            nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1),
        )  # fmt: skip
        book = torch.empty(self.codes, self.dim).uniform_(-1 / self.codes, 1 / self.codes)
        self.register_buffer("book", book)
        self.register_buffer("sum", book.clone())
        self.register_buffer("use", torch.ones(self.codes))

    @torch.no_grad()
    def nearest(self, rows):
        return (2 * rows @ self.book.T - self.book.square().sum(1)).argmax(1)

    @torch.no_grad()
    def learn(self, rows, index):
        even = len(rows) / self.codes
        use = torch.zeros_like(self.use).index_add_(0, index, torch.ones_like(rows[:, 0]))
        self.use.lerp_(use, 1 - self.decay)
        self.sum.lerp_(torch.zeros_like(self.sum).index_add_(0, index, rows), 1 - self.decay)
        fresh = rows[torch.randint(len(rows), (self.codes,), device=rows.device)]
        dead = self.use < self.dead * even
        self.use.copy_(torch.where(dead, even, self.use))
        self.sum.copy_(torch.where(dead[:, None], fresh * even, self.sum))
        total = self.use.sum()
        smooth = (self.use + 1e-5) * (total / (total + 1e-5 * self.codes))
        self.book.copy_(torch.where(dead[:, None], fresh, self.sum / smooth[:, None]))

    def forward(self, x):
        h = self.encoder(x)
        rows = h.permute(0, 2, 3, 1).reshape(-1, self.dim)
        index = self.nearest(rows)
        codes = self.book[index]
        commitment = F.mse_loss(rows, codes, reduction="sum")
        self.learn(rows.detach(), index)
        straight = rows + (codes - rows).detach()
        z = straight.view(len(x), h.shape[2], h.shape[3], self.dim).permute(0, 3, 1, 2)
        return self.decoder(z), commitment


class Adversarial(nn.Module):
    """An autoencoder and a discriminator of its codes."""

    def __init__(self, latent=8):
        super().__init__()

        def mlp(*sizes):
            layers = []
            for a, b in zip(sizes, sizes[1:]):
                layers += [nn.Linear(a, b), nn.ReLU()]
            return nn.Sequential(*layers[:-1])

        self.latent = latent
        self.encoder, self.decoder = mlp(784, 512, 512, latent), mlp(latent, 512, 512, 784)
        self.judge = mlp(latent, 512, 512, 1)

    def phases(self):
        """Three updates a step, each of which sees the one before (Makhzani et al. 2016)."""
        coder = [*self.encoder.parameters(), *self.decoder.parameters()]
        return [(rebuild, coder), (discriminate, self.judge.parameters()), (fool, self.encoder.parameters())]


def rebuild(model, x):
    return F.binary_cross_entropy_with_logits(model.decoder(model.encoder(x)).float(), x, reduction="sum") / len(x)


def discriminate(model, x):
    with torch.no_grad():
        z = model.encoder(x)
    return (F.softplus(-model.judge(torch.randn_like(z))) + F.softplus(model.judge(z))).mean()


def fool(model, x):
    return F.softplus(-model.judge(model.encoder(x))).mean()


def elbo(reconstruction):
    def loss(model, x):
        recon, mu, log_var = model(x)
        return (reconstruction(recon.float(), x) - 0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp())) / len(x)

    return loss


nats = elbo(lambda logits, x: F.binary_cross_entropy_with_logits(logits, x, reduction="sum"))
squares = elbo(lambda recon, x: F.mse_loss(recon, x, reduction="sum"))


def mse(model, x):
    return F.mse_loss(model(x).float(), x)


def squares_of_steps(model, x):
    return F.mse_loss(model(x).float(), x, reduction="sum") / len(x)


def vq(model, x):
    recon, commitment = model(x)
    return (10 * F.mse_loss(recon.float(), x, reduction="sum") + 0.25 * commitment) / len(x)


# Network, loss (None: the network's own phases), shape of an example, examples of a step, and how many of them are encoded (0: training).
ROWS = {
    "vae-128": (vae, nats, (784,), 128, 0),
    "vae-1024": (vae, nats, (784,), 1024, 0),
    "vae-8192": (vae, nats, (784,), 8192, 0),
    "ae-256": (ae, mse, (784,), 256, 0),
    "conv-vae-28": (conv_vae_28, nats, (1, 28, 28), 128, 0),
    "conv-vae-32": (lambda: conv_vae(32), squares, (3, 32, 32), 128, 0),
    "conv-vae-64": (lambda: conv_vae(64), squares, (3, 64, 64), 64, 0),
    "conv-vae-128": (lambda: conv_vae(128), squares, (3, 128, 128), 64, 0),
    "lstm": (lambda: Sequences(100, 1, 64, 16), squares_of_steps, (100, 1), 64, 0),
    "vq-vae": (VQVAE, vq, (1, 28, 28), 128, 0),
    "aae": (Adversarial, None, (784,), 128, 0),
    "transformer": (lambda: Transformer(64, 16, 64, 4, 2, 16), squares_of_steps, (64, 16), 64, 0),
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
    """A network and the updates of a step: a loss, the parameters that it trains and their optimizer, each."""

    def __init__(self, q, layout):
        network, loss, shape, batch, _ = ROWS[q["row"]]
        self.batch = q.get("batch") or batch
        device, way = q["device"], q["way"]
        self.device = torch.device(device)
        torch.manual_seed(1)
        self.model = network().to(self.device, memory_format=layout)
        self.data = torch.rand(BATCHES, self.batch, *shape, device=self.device)
        if len(shape) == 3:
            self.data = [x.to(memory_format=layout) for x in self.data]
        self.position = 0
        self.updates = []
        for loss, parameters in [(loss, self.model.parameters())] if loss else self.model.phases():
            adam = torch.optim.Adam(parameters, lr=1e-3, fused=True, capturable=way == "graph")
            self.updates.append((self.forward(loss, q, way), adam))
        self.graph = self.record() if way == "graph" else None

    def forward(self, loss, q, way):
        def forward(x):
            with autocast(q["device"], q["precision"]):
                return loss(self.model, x)

        return compiled(forward) if way.startswith("compile") else forward

    def update(self, x):
        for forward, adam in self.updates:
            adam.zero_grad(set_to_none=True)
            forward(x).backward()
            adam.step()

    def record(self):
        """The recipe of PyTorch's notes on CUDA graphs: some steps on a side stream, then the one that is recorded."""
        self.x = self.data[0].clone()
        side = torch.cuda.Stream(self.device)
        side.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(side):
            for _ in range(4):
                self.update(self.x)
        torch.cuda.current_stream(self.device).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.update(self.x)
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

    def first_loss(self):
        with torch.no_grad():
            return float(self.updates[0][0](self.data[0]))

    def parameters(self):
        judge = getattr(self.model, "judge", None)
        return sum(p.numel() for p in self.model.parameters()) - (sum(p.numel() for p in judge.parameters()) if judge else 0)


class Encoding(Training):
    """Codes of examples in the host's memory: there and back."""

    def __init__(self, q, layout):
        network, _, shape, _, n = ROWS[q["row"]]
        n = q.get("batch") or n
        self.device = torch.device(q["device"])
        self.model = network().to(self.device).eval()
        self.x = torch.randint(0, 256, (n, *shape), dtype=torch.uint8)
        if self.device.type == "cuda":
            self.x = self.x.pin_memory()
        else:
            self.x = self.x.float() / 255
        self.precision = q["precision"]
        self.encode = compiled(self.model.encode) if q["way"] == "compile" else self.model.encode

    def step(self):
        with torch.inference_mode(), autocast(self.device, self.precision):
            x = self.x.to(self.device, non_blocking=True)
            if x.dtype == torch.uint8:
                x = x.float() / 255
            self.encode(x).float().cpu()

    def first_loss(self):
        return 0.0


def compiled(f):
    """torch.compile, which takes a second to load, made ready for one shape at a time."""
    import torch._dynamo

    for name, value in {"automatic_dynamic_shapes": False, "recompile_limit": 256}.items():
        if hasattr(torch._dynamo.config, name):
            setattr(torch._dynamo.config, name, value)
    return torch.compile(f)


def run(side, seconds, steps):
    """Steps for at least so long, and so many; returns their number and the time until the device has done them."""
    start, n = time.perf_counter(), 0
    while n < steps or time.perf_counter() - start < seconds:
        side.step()
        n += 1
    side.sync()
    return n, time.perf_counter() - start


def ways(row, device):
    """How a row can be run on a device, plainest first."""
    if row not in ROWS:
        return []
    images, encodes = len(ROWS[row][2]) == 3, ROWS[row][4] > 0
    if device == "cpu":
        return ["eager", "eager nhwc", "compile", "compile nhwc"] if images else ["eager", "compile"]
    if not torch.cuda.is_available():
        return []
    return ["eager", "compile"] if encodes else ["eager", "compile", "graph"]


def make(q, known):
    """Opens a side: in the layout that its way names, on a GPU in the faster one; known is what was found for other ways of it."""
    row = ROWS[q["row"]]
    kind = Encoding if row[4] else Training
    nhwc = q["way"].endswith("nhwc")
    if q["device"] == "cpu" or len(row[2]) != 3:
        return kind(q, torch.channels_last if nhwc else torch.contiguous_format)
    case = (q["row"], q["device"], q["precision"], q.get("batch"))
    best = None
    for layout in [known[case]] if case in known else [torch.contiguous_format, torch.channels_last]:
        side = kind(q, layout)
        run(side, 0, 5)
        n, seconds = run(side, 0.2, 3)
        if best is None or seconds / n < best[0]:
            best = (seconds / n, side, layout)
    known[case] = best[2]
    return best[1]


def peak_bytes():
    """Memory that this process has had at most, 0 where the system does not tell."""
    if os.path.exists("/proc/self/status"):
        with open("/proc/self/status") as f:
            return next((int(line.split()[1]) << 10 for line in f if line.startswith("VmHWM")), 0)
    return 0


def machine():
    cpu = platform.processor()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as f:
            cpu = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), cpu)
    about = {"name": "pytorch", "torch": torch.__version__, "python": platform.python_version(), "cpu": cpu, "cores": os.cpu_count()}
    if torch.cuda.is_available():
        about |= {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version(), "gpu": torch.cuda.get_device_name()}
    return about


def answer(q, sides, known):
    """What a request is answered."""
    if q["do"] == "ways":
        return {"ways": ways(q["row"], q["device"])}
    if q["do"] == "memory":
        return {"peak_bytes": peak_bytes()}
    if q["do"] == "open":
        threads = q.get("threads") or torch.get_num_threads()
        torch.set_num_threads(threads)
        products(q["precision"])
        side = make(q, known)
        loss = side.first_loss()
        if q["way"].startswith("compile"):
            run(side, 0, 1)  # what cannot be compiled is said here
        sides[q["id"]] = (side, q["precision"], threads)
        return {"parameters": side.parameters(), "loss": loss}
    if q["do"] == "close":
        sides.pop(q["id"], None)
        gc.collect()
        if not sides and "torch._dynamo" in sys.modules:
            torch._dynamo.reset()  # else one row's shapes would weigh on the next one's code
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return {}
    side, precision, threads = sides[q["id"]]
    products(precision)
    torch.set_num_threads(threads)
    if q["do"] == "warm":
        run(side, q.get("seconds", 0), q.get("steps", 0))
        return {}
    blocks, start, steps = [], time.perf_counter(), 0
    while steps < q["steps"] or time.perf_counter() - start < q.get("seconds", 0):
        n, seconds = run(side, q.get("block", 0), 1)
        blocks.append((n, seconds))
        steps += n
    return {"blocks": blocks}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes to stderr

    def say(what):
        print(json.dumps(what), file=answers, flush=True)

    say(machine())
    sides, known = {}, {}
    for line in sys.stdin:
        try:
            say(answer(json.loads(line), sides, known))
        except Exception as e:  # noqa: BLE001: whatever it is, this side is left out
            say({"error": f"{type(e).__name__}: {str(e).strip().splitlines()[0] if str(e).strip() else ''}"})


if __name__ == "__main__":
    main()
