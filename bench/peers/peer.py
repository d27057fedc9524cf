"""What the peers share: IDX files, the machine's description, timing of a training step."""

import gzip
import os
import platform
import statistics
import struct
import time

import numpy as np
import torch


def read_images(folder, split):
    """Images of an MNIST-like folder (`train` or `t10k`), N x 1 x 28 x 28 float32 in [0, 1]."""
    name = os.path.join(folder, f"{split}-images-idx3-ubyte")
    with open(name, "rb") if os.path.exists(name) else gzip.open(name + ".gz", "rb") as f:
        magic, n, h, w = struct.unpack(">IIII", f.read(16))
        if magic != 0x803:
            raise SystemExit(f"{name}: not an IDX image file")
        pixels = np.frombuffer(f.read(n * h * w), np.uint8).reshape(n, 1, h, w)
    return torch.from_numpy(pixels.astype(np.float32) / 255)


def machine():
    """Versions and processor, for the record beside each figure."""
    cpu = platform.processor()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as f:
            cpu = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), cpu)
    return {"torch": torch.__version__, "cpu": cpu, "cores": os.cpu_count(), "simd": torch.backends.cpu.get_cpu_capability()}


def measure(step, batch, seconds):
    """Median time of step() over about `seconds`, after a warm-up of a tenth of that (20 steps at least)."""
    start = time.perf_counter()
    warm = 0
    while warm < 20 or time.perf_counter() - start < seconds / 10:
        step()
        warm += 1
    times = []
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 10:
        t = time.perf_counter()
        step()
        times.append(time.perf_counter() - t)
    times.sort()
    median = statistics.median(times)
    return {
        "steps": len(times),
        "median_ms": round(median * 1e3, 4),
        "p10_ms": round(times[len(times) // 10] * 1e3, 4),
        "p90_ms": round(times[len(times) * 9 // 10] * 1e3, 4),
        "examples_per_second": round(batch / median, 1),
    }
