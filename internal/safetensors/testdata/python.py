"""Writes python.safetensors, which TestReadsPython reads. Needs: pip install numpy safetensors==0.8.0 (run in this folder)."""
import numpy as np
from safetensors.numpy import save_file

save_file(
    {
        "encoder.0.weight": np.arange(6, dtype=np.float32).reshape(2, 3) / 4 - 0.5,
        "encoder.0.bias": np.array([1.5, -2.5], np.float64),
        "half": np.array([1.0, -2.0, 0.1, 6e-8, 65504.0, np.inf], np.float16),
        "steps": np.array(7, np.int64),
        "codes": np.array([-1, 2, 2**31 - 1], np.int32),
        "mask": np.array([[True, False, True]]),
        "pixels": np.array([0, 128, 255], np.uint8),
        "empty": np.zeros((0, 4), np.float32),
    },
    "python.safetensors",
    metadata={"format": "np", "note": "a <b> & c"},
)
