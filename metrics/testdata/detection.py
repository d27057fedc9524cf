"""Writes detection.json, which the tests of this package read (run in this folder).

Needs: pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
"""

import json

import numpy as np
from scipy.stats import genpareto
from sklearn.metrics import average_precision_score, f1_score, ndcg_score, precision_score, recall_score, roc_auc_score

rng = np.random.default_rng(3)


def scored(n, share, digits):
    """Scores that overlap, with ties where digits are few."""
    positive = rng.random(n) < share
    positive[:2] = [True, False]
    scores = np.round(rng.normal(size=n) + 1.2 * positive, digits)
    threshold = float(np.quantile(scores, 0.9))
    flagged = scores > threshold
    f1s = [(f1_score(positive, scores >= t), t) for t in np.unique(scores)]
    best = max(f1s)
    return {
        "scores": scores.tolist(),
        "positive": positive.tolist(),
        "roc_auc": roc_auc_score(positive, scores),
        "pr_auc": average_precision_score(positive, scores),
        "threshold": threshold,
        "precision": precision_score(positive, flagged),
        "recall": recall_score(positive, flagged),
        "f1": f1_score(positive, flagged),
        "best_f1": best[0],
        "best_threshold": float(best[1]),
    }


def pareto(shape, n):
    y = np.round(genpareto(shape, scale=2.0).rvs(n, random_state=rng), 6)
    c, _, s = genpareto.fit(y, 0.1, floc=0, scale=y.mean())
    return {"excesses": y.tolist(), "log_likelihood": float(genpareto(c, scale=s).logpdf(y).sum()), "exceeded": float(genpareto(c, scale=s).isf(1e-3))}


def rankings(users, items, k):
    """Binary relevance; what has been seen is scored last, and users without relevant items are left out."""
    scores = np.round(rng.normal(size=(users, items)), 4)
    seen = rng.random((users, items)) < 0.2
    relevant = (rng.random((users, items)) < 0.15) & ~seen
    relevant[1] = False
    ndcg, recall = [], []
    for s, have, want in zip(scores, seen, relevant):
        if not want.any():
            continue
        left = np.where(have, -1e9, s)
        ndcg.append(ndcg_score([want.astype(float)], [left], k=k))
        top = np.argsort(-left)[:k]
        recall.append(want[top].sum() / min(k, want.sum()))
    return {
        "k": k,
        "items": items,
        "scores": scores.ravel().tolist(),
        "seen": seen.ravel().astype(float).tolist(),
        "relevant": relevant.ravel().astype(float).tolist(),
        "ndcg": float(np.mean(ndcg)),
        "recall": float(np.mean(recall)),
    }


golden = {
    "detection": [scored(200, 0.2, 3), scored(300, 0.05, 1), scored(40, 0.5, 0)],
    "pareto": [pareto(0.3, 400), pareto(-0.2, 400), pareto(0.0, 250), pareto(0.8, 100)],
    "rankings": [rankings(30, 40, 5), rankings(20, 30, 20), rankings(10, 150, 100)],
}
with open("detection.json", "w") as f:
    json.dump(golden, f, separators=(",", ":"))
    f.write("\n")
