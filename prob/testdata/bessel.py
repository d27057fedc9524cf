"""Writes bessel.json: log(I_v(x)·exp(-x)), I_{v+1}(x)/I_v(x) and the divergence of a von Mises-Fisher distribution of
concentration x in 2v+2 dimensions from the uniform one, by mpmath with 40 digits. Run in this folder; needs mpmath."""

import json

from mpmath import besseli, exp, gamma, log, mp, mpf, pi

mp.dps = 40
rows = []
for m in (2, 3, 4, 5, 8, 10, 20, 33, 50, 128):
    for x in ("1e-3", "0.1", "1", "2.5", "10", "30", "100", "1000", "10000"):
        v, k = mpf(m) / 2 - 1, mpf(x)
        i, ratio = besseli(v, k), besseli(v + 1, k) / besseli(v, k)
        area = 2 * pi ** (mpf(m) / 2) / gamma(mpf(m) / 2)
        kl = k * ratio + v * log(k) - (v + 1) * log(2 * pi) - log(i) + log(area)
        rows.append({"dimensions": m, "x": float(x), "log": float(log(i) - k), "ratio": float(ratio), "kl": float(kl)})
with open("bessel.json", "w") as f:
    json.dump(rows, f, indent=0)
