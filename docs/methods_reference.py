"""The page of loss weightings, made of their classes; `make_reference` writes it."""

from __future__ import annotations

from collections.abc import Iterator

from trainers.weightings import Hyper, Weighting, names, weighting
from trainers.weightings._registry import PACKAGE

_HEAD = """\
# Methods: the loss weightings

`weighbridge methods` lists them with what is installed, `weighbridge methods NAME` shows one. L are
the tasks' losses, g their gradients on the trunk, G the inner products of those, T the number of
tasks, sg what no gradient goes through, d the update of the trunk. What is uncertain, second-hand
or our own choice is said where the formula stands: in the method's file, `trainers/weightings/`.

Methods of one backward pass cost what EW does. Those of T passes cost up to T times as much, which
is in every [cost](measures.md) of a study; their runs are trained one by one, and their heads learn
from their own task's loss unscaled, unless the formula is one of losses. Some need packages that
`pip install 'weighbridge[gradients]'` brings; where one is missing, `plan` and `run` say so."""

_LEVELS = {
    "loss": "By the losses",
    "after-step": "By the losses, learning after each step",
    "gradient": "By each task's gradient",
}

_ABSENT = (
    (
        "LDC-MTL",
        "arXiv 2502.08585",
        "its weights come from a router on the network's features, which a weighting does not see",
    ),
    (
        "AutoScale",
        "arXiv 2508.13979",
        "how weights move in its first phase, and when the second begins, is not in the text that "
        "was to be had; a guess would not be AutoScale",
    ),
    ("IGBv2", "arXiv 2307.15429", "weights by a reinforcement learner, a second thing to tune"),
    ("MoCo, SDMGrad, MoDo", "LibMTL", "three batches a step, or other averages of gradients"),
    ("Auto-lambda, FORUM, MOML", "LibMTL", "they train on the data that others are chosen by"),
    (
        "ExcessMTL",
        "LibMTL, TorchJD",
        "made for noisy labels; no comparison of the papers that this project follows has it",
    ),
    (
        "DualProj, Krum, TrimmedMean, CRMOGM, COSMOS, PBI",
        "TorchJD",
        "made for other ends (continual learning, faulty workers, whole fronts)",
    ),
    ("PiKE", "arXiv 2502.06244", "mixes data, not losses"),
    ("ConsMTL", "-", "no code was to be found"),
)

_OTHERWISE = """\
## Where ours differ from others'

- **CAGrad, UPGrad**: TorchJD 0.18 takes gradients whose squares sum to less than 1e-4 for none,
  without a word: CAGrad's update is 0 then, UPGrad's the mean. Here solvers are told gradients in
  units of their mean square.
- **FairGrad**: TorchJD and LibMTL minimise squares by absolute tolerances; at gradients shorter
  than 1e-3 the two sides of the equation differ several times in TorchJD 0.18. Here it is solved,
  by Newton's method on the convex function whose minimum it is.
- **Nash-MTL**: the others need cvxpy and ECOS, whose last release has no wheels for Python 3.13 and
  later, and keep the last weights, at first equal ones, where that fails. Here it is FairGrad's
  equation at an alpha of 1, and needs no package.
- **What cannot be solved fails the run** and says which inner products were met. No method falls
  back to equal weights.
- **Stop and resume change no bit**: what GradVac, PCD, GradNorm, DB-MTL, FAMO and GO4Align keep
  between steps is in checkpoints; orders and masks (PCGrad, GradVac, GradDrop) are drawn from the
  run's address."""

_PUBLISHED = (
    (
        "updates of gradients (-4, 1, 1) and (6, 1, 1): Aligned-MTL (0.2133, 0.9673, 0.9673), "
        "CAGrad (0.1835, 1.2041, 1.2041), ConFIG (0.1588, 2.0706, 2.0706), IMTL-G (0.0767, 1, 1), "
        "MGDA (0, 1, 1), Nash-MTL (0.0542, 0.7061, 0.7061), PCGrad (0.5848, 3.8012, 3.8012), "
        "UPGrad (0.2929, 1.9004, 1.9004)",
        "TorchJD's documentation",
        "the same to four digits",
    ),
    ("of GradDrop (6, 2, 2)", "the same", "that or (-4, 2, 2), by chance"),
    (
        "steps to the optimum of a problem in the plane",
        "Elich et al.",
        "the same to one step at most rates, and [why not at others]"
        "(../benchmarks/two-valleys.md#what-to-keep-in-mind)",
    ),
    (
        "parameters of SegNet, of DeepLabV3 and the ResNets",
        "the code of MTAN and LibMTL; torchvision",
        "[the same](../how-to/own-problem.md)",
    ),
    (
        "tables of NYUv2, Cityscapes, Office and QM9",
        "LibMTL",
        "need these files and a GPU; and epochs of the first two were chosen on the test split",
    ),
)


def methods_page() -> Iterator[str]:
    """Built-in methods by level; what can be tuned of each; what is missing."""
    methods = [one for one in map(weighting, names()) if type(one).__module__.startswith(PACKAGE)]
    yield _HEAD
    for level, title in _LEVELS.items():
        yield from ("", f"## {title}", "")
        yield "| method | paper | formula | a step takes | needs | who else has it |"
        yield "|---|---|---|---|---|---|"
        yield from (_row(one) for one in methods if one.level == level)
    yield from ("", "## What can be tuned", "")
    yield "| method | hyperparameter | default | must be | what it does |"
    yield "|---|---|---|---|---|"
    yield from (_tuned(one, rule) for one in methods for rule in one.hypers)
    yield from ("", "## What is not here, and why", "")
    yield "| method | source | why |"
    yield "|---|---|---|"
    yield from (f"| {name} | {source} | {why} |" for name, source, why in _ABSENT)
    yield from ("", _OTHERWISE)
    yield from ("", "## Published numbers, and which are met", "")
    yield from ("What can be had without a GPU; `make test` checks it.", "")
    yield "| number | published by | here |"
    yield "|---|---|---|"
    yield from (f"| {number} | {by} | {here} |" for number, by, here in _PUBLISHED)


def _row(one: Weighting) -> str:
    needs = ", ".join(one.needs) or "-"
    others = ", ".join(one.also_in) or "-"
    cells = (f"`{one.name}` {one.title}", one.paper, f"`{one.formula}`", one.cost, needs, others)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _tuned(one: Weighting, rule: Hyper) -> str:
    default = "none" if rule.default is None else f"{rule.default:g}"
    told = f"{rule.rule}, one a task" if rule.per_task else rule.rule
    return f"| `{one.name}` | `{rule.name}` | {default} | {told} | {rule.doc} |"
