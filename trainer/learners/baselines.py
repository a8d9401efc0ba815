"""What a network must beat: gradient boosting, where scikit-learn is installed, and chance."""

import numpy as np
from numpy.typing import NDArray

from trainer.train import Rows

FEATURES = 64
ROWS = 20_000
TREES = 60
"""What boosting may look at, so that it stays a matter of seconds."""

Floats = NDArray[np.float64]


def boosting_is_here() -> bool:
    """Whether scikit-learn is installed."""
    try:
        import sklearn  # noqa: F401
    except ImportError:
        return False
    return True


def boosting(
    features: NDArray[np.float32], targets: NDArray[np.float32], weights: NDArray[np.float32], train: Rows, asked: Rows,
    seed: int,
) -> Floats:  # fmt: skip
    """Chance of approval of the rows `asked`, float64, by gradient boosting on the rows `train`.

    Of more than 64 features it looks at those that correlate best with the answers of `train`, of more than 20,000
    rows at as many by lot. One thread, so that the sums are the same on any machine.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng([seed, 7])
    rows = np.sort(rng.choice(train, ROWS, replace=False)) if len(train) > ROWS else train
    answers = targets[rows] > 0.5
    if answers.all() or not answers.any():
        return np.full(len(asked), float(answers.mean()))
    columns = telling(features, answers, weights[rows], rows)
    model = HistGradientBoostingClassifier(
        max_iter=TREES, max_leaf_nodes=8, max_bins=63, early_stopping=False, random_state=seed % 2**32
    )
    with threadpool_limits(1):
        model.fit(features[np.ix_(rows, columns)], answers, sample_weight=weights[rows])
        parts = [
            model.predict_proba(features[np.ix_(asked[at : at + 8192], columns)])[:, 1]
            for at in range(0, len(asked), 8192)
        ]
    return np.concatenate(parts) if parts else np.zeros(0)


def telling(
    features: NDArray[np.float32], answers: NDArray[np.bool_], weights: NDArray[np.float32], rows: Rows
) -> Rows:
    """The columns, at most 64, that correlate best with the answers over these rows, in their order."""
    wide = features.shape[1]
    if wide <= FEATURES:
        return np.arange(wide)
    share = weights.astype(np.float64) / max(float(weights.sum()), 1e-9)
    apart = (answers - float(share @ answers)) * share
    means, together, square = np.zeros(wide), np.zeros(wide), np.zeros(wide)
    for at in range(0, len(rows), 4096):
        part, of = features[rows[at : at + 4096]].astype(np.float64), slice(at, at + 4096)
        means += share[of] @ part
        square += share[of] @ part**2
        together += apart[of] @ part
    spread = np.sqrt(np.maximum(square - means**2, 1e-12))
    return np.sort(np.argsort(-np.abs(together) / spread, kind="stable")[:FEATURES])
