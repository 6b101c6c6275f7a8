"""How far gradients of tasks and of samples agree on the shared parameters, while runs train.

It looks on, and changes nothing of a run.
"""
