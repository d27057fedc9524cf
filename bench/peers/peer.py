"""What the recipes share: IDX files and the machine's description."""

import gzip
import os
import platform
import struct

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
