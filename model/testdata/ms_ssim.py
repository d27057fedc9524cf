"""Prints the two-scale structural similarity of the two images of TestSSIMIsTheMetric: eq. 7 of Wang, Simoncelli & Bovik 2003 in
NumPy, window by window. Needs numpy."""

import numpy as np

N, C, SIDE = 2, 2, 24
i = np.arange(N * C * SIDE * SIDE)
a = 0.5 + 0.4 * np.sin(i * 0.3) * np.cos((i // SIDE) * 0.5)
b = np.fmod(a * 1.2 + 0.03 * (i % 7), 1)
a, b = a.reshape(N, C, SIDE, SIDE), b.reshape(N, C, SIDE, SIDE)
g = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
window = np.outer(g, g) / g.sum() ** 2
weights = np.array([0.0448, 0.2856]) / (0.0448 + 0.2856)


def parts(x, y):
    """Means over all windows of structure, and of structure times luminance."""
    structure, both = [], []
    for r in range(x.shape[0] - 10):
        for c in range(x.shape[1] - 10):
            p, q = x[r : r + 11, c : c + 11], y[r : r + 11, c : c + 11]
            mx, my = (window * p).sum(), (window * q).sum()
            vx, vy, cov = (window * (p - mx) ** 2).sum(), (window * (q - my) ** 2).sum(), (window * (p - mx) * (q - my)).sum()
            s = (2 * cov + 9e-4) / (vx + vy + 9e-4)
            structure.append(s)
            both.append(s * (2 * mx * my + 1e-4) / (mx * mx + my * my + 1e-4))
    return np.mean(structure), np.mean(both)


half = lambda v: v.reshape(SIDE // 2, 2, SIDE // 2, 2).mean((1, 3))
for n in range(N):
    values = []
    for c in range(C):
        first, last = parts(a[n, c], b[n, c])[0], parts(half(a[n, c]), half(b[n, c]))[1]
        values.append(max(first, 1e-6) ** weights[0] * max(last, 1e-6) ** weights[1])
    print(repr(float(np.mean(values))))
