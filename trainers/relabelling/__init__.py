"""Finding and mending wrong labels by predictive uncertainty.

Reconstructed after Köhler, Autenrieth & Beluch, "Uncertainty Based Detection and Relabeling of
Noisy Image Labels" (CVPR Workshops 2019): a network is trained on the labels as they are given, the
labels that it doubts are replaced or left out, and a new one is trained on the rest. What the
abstract leaves open is a parameter.

`scores`, `thresholds`, `deciding` and `judging` are plain mathematics on arrays; `rounds` is a run.
Importing this package loads no torch.
"""

from trainers.relabelling.trainer import UncertaintyRelabel

__all__ = ["UncertaintyRelabel"]
