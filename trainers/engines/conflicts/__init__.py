"""How far gradients of tasks and of samples agree on the shared parameters, while runs train."""
