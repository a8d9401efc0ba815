"""What is said of a trained model: where its labels came from, every figure beside its rivals', the gate's verdict."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.scoring.mlp import Model
from trainer.evaluate import Comparison, Figure, recall_table
from trainer.evidence import figures
from trainer.evidence.choosing import LINEAR, NETWORK
from trainer.evidence.figures import Floats, Rows
from trainer.evidence.judging import ABOUT, Answers, headline, judged_set, known_films, moments_of, rows_by_set
from trainer.fit import Asked, Trained
from trainer.gate import LIMITS, VIRAL_LIMITS, Evidence, JudgedSet, Limits, Verdict, judge
from trainer.material.slots import VIRAL

WORDS = {
    NETWORK: "the network",
    LINEAR: "the linear model",
    "boosting": "gradient boosting",
    "prior": "the documented prior",
}
WORDS["chance"] = "chance"
RIVALS = ("chance", "prior", LINEAR, "boosting")
PERFECT = 0.999


@dataclass(frozen=True)
class Findings:
    """All that was found out on held-out films, as plain values, and the verdict."""

    values: dict[str, Any]
    verdict: Verdict


def examine(trained: Trained, asked: Asked, champion: Model | None, served: Floats) -> Findings:
    """Figures of all contenders and the gate's verdict. `served`: what the proposed model says of judged rows, [M]."""
    limits = VIRAL_LIMITS if asked.slot == VIRAL else LIMITS
    chances = dict(trained.chances)
    comparable = champion if champion is not None and champion.schema == trained.snapshot.schema else None
    if comparable is not None:
        chances["champion"] = _of_model(comparable, trained)
    answers = Answers(
        trained.snapshot, trained.split, trained.targets, trained.threshold, trained.base_rate, chances, asked.seed,
        comparable,
    )  # fmt: skip
    sets = rows_by_set(answers, trained.labelled, limits)
    compared = {name: answers.comparison(rows) for name, rows in sets.items()}
    first = headline(sets, trained.split, limits)
    frozen = "holdout" in sets
    judged = tuple(judged_set(name, answers, compared[name], rows, frozen=frozen) for name, rows in sets.items())
    verdict = judge(_evidence(trained, served, None if asked.slot == VIRAL else "boosting" in chances, judged), limits)
    rivals = [name for name in (*chances, "chance") if name != "challenger"]
    remarks = _remarks(trained, compared[first], champion, comparable)
    if comparable is not None and known_films(comparable, trained.snapshot, trained.split)[sets[first]].any():
        remarks.append(
            f"The champion {comparable.version} has learnt from some of these films, which flatters its figures here."
        )
    values = {
        "summary": _summary(trained, compared[first], first),
        "figures_of": first,
        "figures": _with_recall(answers, compared[first].table(), first, asked.seed),
        "differences": _differences(compared[first], rivals),
        "slices": {
            name: {"about": ABOUT[name], "figures": one.table(), "differences": _differences(one, rivals)}
            for name, one in compared.items()
        },
        "reliability": _rounded(figures.reliability(compared[first].judged, compared[first].chances["challenger"])),
        "gate": verdict.to_json(),
        "remarks": remarks,
    }
    return Findings(values, verdict)


def _evidence(
    trained: Trained, served: Floats, boosting: bool | None, judged: tuple[JudgedSet, ...]
) -> Evidence:  # fmt: skip
    rows = trained.split.train
    yes = trained.targets[rows] > trained.threshold
    finite = bool(np.isfinite(served).all())
    films = len(np.unique(trained.split.films[rows]))
    spread = float(np.std(served)) if finite else 0.0
    return Evidence(int(yes.sum()), int((~yes).sum()), films, finite, spread, boosting, judged)


def _of_model(model: Model, trained: Trained) -> Floats:
    from trainer.learners.network import filled

    rows = np.isfinite(trained.chances["challenger"])
    found = np.full(len(rows), np.nan)
    found[rows] = model.probabilities(filled(trained.snapshot.features)[0][rows])
    return found


def _differences(compared: Comparison, rivals: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for rival in rivals:
        metrics = ("auc", "ap", "ndcg5") if rival == "prior" else ("auc", "ap", "ndcg5", "brier")
        known = {metric: compared.difference("challenger", rival, metric) for metric in metrics}
        found[rival] = {metric: one.to_json() for metric, one in known.items() if one}
    return found


def _with_recall(answers: Answers, table: dict[str, Any], first: str, seed: int) -> dict[str, Any]:
    known = np.isfinite(answers.chances["challenger"])
    within = known & (answers.split.folds < 0) if first == "holdout" else known
    moments = moments_of(answers.snapshot, answers.split, within)
    if moments is None:
        return table
    scores = {name: of[moments.rows] for name, of in answers.chances.items() if np.isfinite(of[moments.rows]).all()}
    for name, found in recall_table(moments, scores, seed).items():
        table.setdefault(name, {}).update(found)
    return table


def _summary(trained: Trained, compared: Comparison, first: str) -> str:
    """The first line: whether something simpler is as good comes before everything else."""
    own = compared.figure("challenger", "auc")
    films = f"{compared.judged.count} {'frozen ' if first == 'holdout' else ''}films"
    where = f"{len(compared.judged.targets)} labels of {films}"
    quality = f"AUC {_between(own)} on {where}" if own else f"No AUC can be told from {where}"
    rivals = [name for name in RIVALS if name != trained.kind and name in (*compared.chances, "chance")]
    lines = ((rival, _as_good(trained.kind, compared, rival)) for rival in rivals)
    rival, said = next((line for line in lines if line[1]), ("", ""))
    both = "" if rival == LINEAR else _network_and_line(trained.kind, compared)
    beats = f"{_begin(WORDS[trained.kind])} beats {', '.join(WORDS[name] for name in rivals)}."
    return " ".join([*(filter(None, (said, both)) if said or both else (beats,)), f"{quality}."])


def _as_good(kind: str, compared: Comparison, rival: str) -> str:
    """That a rival is as good or better; "" where it is beaten. Trees are no simpler than a line: better counts."""
    apart = compared.difference("challenger", rival)
    surely = apart is not None and apart.high < 0
    if (apart is not None and apart.low > 0) or (kind == LINEAR and rival == "boosting" and not surely):
        return ""
    said = f"{_begin(WORDS[rival])} is {'better than' if surely else 'as good as'} {WORDS[kind]}"
    return f"{said}{'' if surely else ' within the interval'} ({_apart(apart)})."


def _network_and_line(kind: str, compared: Comparison) -> str:
    """Whether the network beats the line; "" where it does and is proposed, or was not trained."""
    apart = compared.difference(NETWORK, LINEAR) if NETWORK in compared.chances else None
    if apart is None or (kind == NETWORK and apart.low > 0):
        return ""
    word = "beats" if apart.low > 0 else "does not beat"
    return (
        f"The network {word} the linear model ({_apart(apart)}){': the linear model is proposed' * (kind == LINEAR)}."
    )


def _begin(said: str) -> str:
    return said[0].upper() + said[1:]


def _between(found: Figure) -> str:
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _apart(found: Figure | None) -> str:
    return (
        "no difference can be told"
        if found is None
        else (f"AUC {found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]")
    )


def _remarks(trained: Trained, compared: Comparison, champion: Model | None, comparable: Model | None) -> list[str]:
    remarks = list(trained.split.remarks)
    if trained.incomplete_rows:
        remarks.append(
            f"{trained.incomplete_rows} windows lack some features; the mean of all windows stood in for them."
        )
    if champion is not None and comparable is None:
        remarks.append(
            f"The champion {champion.version} knows other features ({champion.schema.name} version "
            f"{champion.schema.version}) and could not be compared."
        )
    own = compared.figure("challenger", "auc")
    if own and own.value >= PERFECT:
        remarks.append(
            "Nearly every pair of windows is in the right order. That is too good to be believed: look for a feature "
            "that knows the label, or for the same film under another name."
        )
    return remarks


def labels_of(trained: Trained) -> dict[str, Any]:
    """Where the labels came from."""
    rows = trained.labelled
    snapshot = trained.snapshot
    yes = trained.targets[rows] > trained.threshold
    known = snapshot.decided_at[rows]
    known = known[np.isfinite(known)]
    return {
        "total": int(rows.sum()),
        "approved": int(yes.sum()),
        "rejected": int((~yes).sum()),
        "films": len(np.unique(trained.split.films[rows])),
        "unlabelled": int((~rows).sum()),
        "by_source": _counted(snapshot.sources[rows]),
        "by_strategy": _counted(snapshot.strategies[rows]),
        "until_s": float(known.max()) if len(known) else None,
    }


def _counted(names: Any) -> dict[str, int]:
    return dict(sorted(Counter(name or "unknown" for name in names.tolist()).items()))


def split_of(trained: Trained) -> dict[str, Any]:
    """Who learnt and who examined."""
    split, movies = trained.split, trained.snapshot.movies

    def listed(rows: Rows) -> list[str]:
        return sorted(set(movies[rows].tolist()))

    held = len(split.held) > 0
    folds = f"{split.count} folds of films"
    return {
        "method": f"frozen films, and {folds} of the others" if held else folds,
        "folds": split.count,
        "train_films": listed(split.train),
        "holdout_films": listed(split.held),
        "train_labels": len(split.train),
        "holdout_labels": len(split.held),
        "folds_of_films": {
            movie: int(split.folds[row])
            for movie, row in sorted(zip(movies[split.train].tolist(), split.train.tolist(), strict=True))
        },
    }


def card_of(trained: Trained, asked: Asked, findings: Findings, seconds: float) -> dict[str, Any]:
    """The card, all but what names the files."""
    return {
        **metrics_of(trained, asked, findings), "replaces": asked.slot.partition("/")[0],
        "temperature": trained.temperature, "device": trained.device, "seconds": round(seconds, 2),
    }  # fmt: skip


def metrics_of(trained: Trained, asked: Asked, findings: Findings) -> dict[str, Any]:
    """The part of the card that is the same for the same snapshot and seed."""
    return {
        "format": 1,
        "slot": asked.slot,
        "kind": trained.kind,
        "snapshot": trained.snapshot.id,
        "seed": asked.seed,
        "summary": findings.values["summary"],
        "labels": labels_of(trained),
        "split": split_of(trained),
        "settings": trained.settings,
        "curves": {"epochs": trained.curve, "learning": trained.learning},
        **findings.values,
    }


def _rounded(rows: list[Mapping[str, float | int]] | list[dict[str, float | int]]) -> list[dict[str, float | int]]:
    return [
        {name: round(value, 6) if isinstance(value, float) else value for name, value in row.items()} for row in rows
    ]


__all__ = ["Findings", "Limits", "card_of", "examine", "metrics_of"]
