"""Specs that somebody could write, by accident or not: every key with every odd value."""

from __future__ import annotations

from collections.abc import Iterator

# a spec of lines; `{...}` is where an odd value goes
_LINES = {
    "name": 'name = "tried"',
    "problem": 'problem = "digits"',
    "problem_options": "problem_options = { train_pairs = 64 }",
    "seeds": "seeds = [0]",
    "training.epochs": "training.epochs = 2",
    "training.batch_size": "training.batch_size = 16",
    "search": '[[search]]\nweighting = "ew"\nstages = [{ lr = [0.01] }]',
}
_MORE = [
    *("training.optimizer", "training.lr", "training.weight_decay", "training.momentum"),
    *("training.schedule", "training.clip_norm", "training.threads", "training.precision"),
    *("training.data_parallel", "training.engine", "training.pack_size", "training.run_limit_s"),
    *("training.checkpoint_cap_mib", "training.checkpoint_s", "training.pack_memory_gib"),
    *("baseline", "baseline.lr", "baseline.metrics", "baseline.stop", "compare.margin"),
    *("compare.select_epoch", "budget.trials", "budget.money", "budget.wall_s"),
    *("cost.price_per_h", "confirm.top", "confirm.seeds", "function", "function.target"),
    *("problem_options.train_pairs", "SEEDS", '""', '"[/red]"'),
]
_IN_SEARCH = ["weighting", "name", "stages", "hyper", "joint", "budget", "budget.epochs"]
_IN_STAGE = {
    "lr": "{{ lr = {} }}",
    "temperature": "{{ temperature = {} }}",
    "range": "{{ lr = {{ log_range = [1e-3, {}] }} }}",
    "points": "{{ lr = {{ log_range = [1e-3, 1], points = {} }} }}",
    "line": "{{ lr = {{ line = {}, refine = 1 }} }}",
    "refine": "{{ lr = {{ line = [0.1, 0.2], refine = {} }} }}",
    "trials": '{{ lr = {{ log_range = [1e-3, 1] }}, strategy = "random", trials = {} }}',
    "round_size": '{{ lr = [0.1], strategy = "tpe", trials = 4, round_size = {} }}',
    "strategy": "{{ lr = [0.1], strategy = {} }}",
    "at": "{{ lr = [0.1], at = {} }}",
    "stop": "{{ lr = [0.1], stop = {} }}",
    "rungs": '{{ lr = [0.1], stop = {{ rule = "halving", rungs = {} }} }}',
    "keep": '{{ lr = [0.1], stop = {{ rule = "halving", rungs = [1], keep = {} }} }}',
    "step": "{{ task_weights = {{ simplex_step = {} }} }}",
    "dirichlet": "{{ task_weights = {{ dirichlet = {} }} }}",
    "weights": "{{ task_weights = {} }}",
}
ODD = {
    "nothing": '""',
    "markup": '"[/red]"',
    "colour": '"\\u001b[31m"',
    "null": '"a\\u0000b"',
    "unicode": '"ｕ\\U0001F389\\u202E\\u0301"',
    "path": '"../../etc/passwd"',
    "long": f'"{"a" * 100_000}"',
    "name300": f'"{"a" * 300}"',
    "toml": '"x.toml"',
    "true": "true",
    "zero": "0",
    "negative": "-1",
    "minus zero": "-0.0",
    "tiny": "5e-324",
    "huge": "1e308",
    "inf": "inf",
    "nan": "nan",
    "int63": str(2**63 - 1),
    "int64": str(2**64),
    "billion": "1_000_000_000",
    "digits": "9" * 5000,
    "hex": f"0x{'f' * 5000}",
    "date": "1979-05-27",
    "time": "07:32:00",
    "list": "[]",
    "twins": "[1, 1]",
    "mixed": '[1, "a", [2], { b = 3 }]',
    "nan list": "[nan]",
    "long list": f"[{', '.join(map(str, range(3000)))}]",
    "long texts": f"[{', '.join(f'{chr(34)}{i}{chr(34)}' for i in range(3000))}]",
    "table": "{}",
    "deep": "[" * 40 + "]" * 40,
}


def specs() -> Iterator[tuple[str, str]]:
    """Name and text of each."""
    for odd, value in ODD.items():
        for key in (*_LINES, *_MORE):
            lines = {**_LINES, key: f"{key} = {value}"}
            if key == "search":
                yield f"{key} {odd}", "\n".join(lines.values())
                continue
            search = lines.pop("search")
            yield f"{key} {odd}", "\n".join([*lines.values(), search])
        for key in _IN_SEARCH:
            parts = {"weighting": '"ew"', "stages": "[{ lr = [0.01] }]", key: value}
            yield f"search.{key} {odd}", _with(parts)
        for key, form in _IN_STAGE.items():
            method = {"temperature": "uw-so"}.get(key, "ew")
            method = "scalarization" if key in ("step", "dirichlet", "weights") else method
            stages = f"[{{ lr = [0.01] }}, {form.format(value)}]"
            parts = {"weighting": f'"{method}"', "stages": stages}
            yield f"stage.{key} {odd}", _with(parts)


def _with(search: dict[str, str]) -> str:
    head = [line for key, line in _LINES.items() if key != "search"]
    return "\n".join([*head, "[[search]]", *(f"{key} = {value}" for key, value in search.items())])
