"""Trunks and heads: ordinary modules that survive `torch.func.vmap` over stacked parameters."""

from trainers.nets.lenet import LeNet
from trainers.nets.mlp import Mlp, linear_head

__all__ = ["LeNet", "Mlp", "linear_head"]
