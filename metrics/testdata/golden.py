"""Writes golden.json, which the tests of this package read (run in this folder).

Needs: pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 scikit-image==0.26.0
"""

import json

import numpy as np
from scipy.linalg import sqrtm, subspace_angles
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.decomposition import PCA
from sklearn.linear_model import Lasso
from sklearn.metrics import explained_variance_score, mean_absolute_error, mean_squared_error, mutual_info_score

rng = np.random.default_rng(1)


def array(a):
    a = np.asarray(a, np.float64)
    return {"shape": list(a.shape), "data": a.ravel().tolist()}


def images():
    """Five images of two channels, smooth, in [0, 1], and noisy copies of them."""
    y, x = np.mgrid[0:13, 0:12] / 6.0
    planes = [np.sin(x * rng.uniform(1, 4) + rng.uniform(0, 6)) * np.cos(y * rng.uniform(1, 4)) / 2 + 0.5 for _ in range(10)]
    target = np.round(np.array(planes).reshape(5, 2, 13, 12), 3)
    noise = rng.normal(0, np.array([0.02, 0.05, 0.1, 0.2, 0.4]).reshape(5, 1, 1, 1), target.shape)
    return target, np.round(np.clip(target + noise, 0, 1), 3)


def reconstructions():
    target, recon = images()
    flat_t, flat_r = target.reshape(5, -1), recon.reshape(5, -1)
    ssim = [
        structural_similarity(t, r, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=0)
        for t, r in zip(target, recon)
    ]
    values = {
        "mse": mean_squared_error(flat_t, flat_r),
        "mae": mean_absolute_error(flat_t, flat_r),
        "psnr": np.mean([peak_signal_noise_ratio(t, r, data_range=1) for t, r in zip(target, recon)]),
        "ssim": np.mean(ssim),
        "explained-variance": explained_variance_score(flat_t, flat_r, multioutput="variance_weighted"),
    }
    return {"target": array(target), "recon": array(recon), "values": values}


def pca(n, d, k):
    x = np.round(rng.normal(size=(n, d)) * np.geomspace(3, 0.3, d) @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d), 4)
    m = PCA(k, svd_solver="full").fit(x)
    everything = PCA(svd_solver="full").fit(x)
    return {
        "x": array(x),
        "k": k,
        "mean": m.mean_.tolist(),
        "components": array(m.components_),
        "variances": everything.explained_variance_.tolist(),
        "ratio": m.explained_variance_ratio_.tolist(),
        "codes": array(m.transform(x)),
        "recon": array(m.inverse_transform(m.transform(x))),
    }


def ppca(q, variance=None):
    """The largest log-likelihood, found numerically and not by the paper's formula."""
    x = np.round(rng.normal(size=(30, 5)) * [2.0, 1.2, 0.8, 0.5, 0.3] @ np.linalg.qr(rng.normal(size=(5, 5)))[0] + 1, 4)
    mean = x.mean(0)

    def covariance(theta):
        w = theta[: 5 * q].reshape(5, q)
        return w @ w.T + (variance or np.exp(theta[-1])) * np.eye(5)

    def loss(theta):
        return -multivariate_normal(mean, covariance(theta)).logpdf(x).mean()

    start = np.append(rng.normal(size=5 * q), 0.0)
    best = minimize(loss, start, method="BFGS", options={"gtol": 1e-9, "maxiter": 5000}).x
    c = covariance(best)
    return {
        "x": array(x),
        "q": q,
        "given": variance or 0,
        "variance": float(variance or np.exp(best[-1])),
        "covariance": array(c),
        "log_likelihood": -loss(best),
        "log_prob": multivariate_normal(mean, c).logpdf(x).tolist(),
    }


def angles(a, b):
    return {"a": array(a), "b": array(b), "angles": subspace_angles(a, b).tolist()}


def factors():
    """Codes that hold four known factors more or less apart; mutual information and lassos by scikit-learn."""
    r = np.random.default_rng(2)
    whole = np.stack([r.integers(0, n, 300) for n in (3, 6, 10, 2)], 1)
    f = whole / [2, 5, 9, 1]
    mix = np.array([[2, 0, 0, 0, 0.1], [0, 1, 0.7, 0, 0], [0, 0, 0, -1.5, 0], [0.2, 0, 0.4, 0, 0]])
    codes = np.round(f @ mix + 0.1 * r.normal(size=(300, 5)), 4)
    gaps = []
    for k in range(4):
        binned = [np.digitize(c, np.linspace(c.min(), c.max(), 21)[1:-1]) for c in codes.T]
        information = sorted(mutual_info_score(whole[:, k], b) for b in binned)
        gaps.append((information[-1] - information[-2]) / mutual_info_score(whole[:, k], whole[:, k]))
    x, y = ((v - v.mean(0)) / v.std(0) for v in (codes, f))
    fits = [Lasso(alpha=0.02, fit_intercept=False, tol=1e-14, max_iter=100000).fit(x, t) for t in y.T]
    r2 = np.mean([m.score(x, t) for m, t in zip(fits, y.T)])
    importance = np.abs([m.coef_ for m in fits])  # factor by unit

    def concentration(rows):
        p = rows / rows.sum(1, keepdims=True)
        h = -(p * np.log(np.where(p > 0, p, 1))).sum(1) / np.log(rows.shape[1])
        return float(np.average(1 - h, weights=rows.sum(1)))

    values = {"mig": np.mean(gaps), "disentanglement": concentration(importance.T), "completeness": concentration(importance), "informativeness": r2}
    return {"codes": array(codes), "factors": array(f), "values": values}


def frechet(n, m, d):
    """The distance of normal distributions by SciPy's matrix root; fewer rows than numbers leave the covariances singular."""
    r = np.random.default_rng(n)
    a = np.round(3 + r.normal(size=(n, d)) @ r.normal(size=(d, d)), 3)
    b = np.round(1 + r.normal(size=(m, d)), 3)
    ca, cb = np.cov(a.T), np.cov(b.T)
    distance = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)
    return {"a": array(a), "b": array(b), "distance": distance}


a = rng.normal(size=(7, 3))
golden = {
    "reconstructions": reconstructions(),
    "pca": [pca(12, 5, 3), pca(6, 9, 4), pca(5, 5, 4)],
    "ppca": [ppca(2), ppca(1), ppca(3, 0.5), ppca(2, 0.1)],
    "angles": [
        angles(a, rng.normal(size=(7, 2))),
        angles(a, a @ rng.normal(size=(3, 3)) + 1e-7 * rng.normal(size=(7, 3))),
        angles(np.eye(4)[:, :2], np.eye(4)[:, 2:]),
    ],
    "factors": factors(),
    "frechet": [frechet(40, 30, 4), frechet(9, 50, 6), frechet(5, 6, 2)],
}
with open("golden.json", "w") as f:
    json.dump(golden, f, separators=(",", ":"))
    f.write("\n")
