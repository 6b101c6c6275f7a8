"""The section [training]: what all runs of a study share."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from study.spec._section import (
    Duration,
    Finite,
    Flag,
    NotNegative,
    Positive,
    PositiveInt,
    Printable,
    Quantity,
    SecondsFrom0,
    Section,
    UpTo1000,
    told_by,
)
from trainers import optimizers


class StepSchedule(Section):
    """Learning rate times `gamma` every `step` epochs."""

    step: PositiveInt = Field(description="Epochs between two cuts of the learning rate.")
    gamma: Positive = Field(0.5, description="Factor of each cut.")


_ScheduleSpec = Annotated[
    Annotated[Literal["constant", "cosine"], Tag("<word>")]
    | Annotated[StepSchedule, Tag("<table>")],
    told_by((dict, StepSchedule), "<table>", "<word>"),
]


def _known(name: str) -> str:
    """A name that is known; whether a class of one's own is there, the plan finds out."""
    if name in optimizers.BUILT_IN or ":" in name or name in (known := optimizers.names()):
        return name
    raise PydanticCustomError(
        "literal_error",
        "Input should be {expected}",
        {"expected": f"{', '.join(map(repr, known))}, or `module:Class` of one's own"},
    )


_OptimizerName = Annotated[Printable, AfterValidator(_known)]


class TrainingSpec(Section):
    """What all runs share."""

    epochs: PositiveInt = Field(description="Epochs of each run.")
    batch_size: PositiveInt = Field(description="Samples a step.")
    micro_batch_size: PositiveInt | None = Field(
        None,
        description="Samples that go through the network at once where a batch is too large for "
        "the memory. A step is that of the whole batch, its weights too, and costs a forward pass "
        "more; batch normalisation sees the parts. Runs are trained one by one.",
    )
    optimizer: _OptimizerName = Field(
        "adam",
        description="Optimiser of runs whose search does not tune it: `adam` or whatever else "
        "[is built in](../how-to/optimisers.md), a plugin's name, or `module:Class` of one's own.",
    )
    lr: Positive | None = Field(None, description="Learning rate of searches that do not tune it.")
    weight_decay: NotNegative = Field(
        0.0, description="Weight decay of searches and stages that do not tune it."
    )
    momentum: Annotated[Finite, Field(ge=0, lt=1)] = Field(
        0.9, description="Momentum of `sgd` and `signsgd`, where no search tunes it."
    )
    schedule: _ScheduleSpec = Field(
        "constant",
        description="Learning rate over epochs: constant, cosine, or `{ step = 10, gamma = 0.5 }`.",
    )
    clip_norm: Positive | None = Field(
        None, description="Largest gradient norm of the network; off by default."
    )
    drop_last: Flag = Field(
        False,
        description="Leave the last batch of an epoch out unless it is whole; which samples that "
        "is changes with the epoch. For networks with batch normalisation, which a batch of one "
        "sample stops.",
    )
    eval_batch_size: PositiveInt = Field(1024, description="Samples a batch of evaluation.")
    threads: UpTo1000 = Field(
        1,
        description="Threads of a worker. Results depend on it, so it is fixed by the study.",
    )
    precision: Literal["float32", "tf32", "bfloat16", "float16"] = Field(
        "float32",
        description="Of the network's operations; parameters, losses and optimiser stay in single "
        "precision. With `bfloat16` and `float16` they run under torch's autocast, the latter with "
        "loss scaling and runs one by one; `tf32` lets GPUs shorten what products and convolutions "
        "read, which `float32` does not.",
    )
    channels_last: Flag | None = Field(
        None,
        description="How images lie in memory where runs are trained one by one: pixel by pixel "
        "or, with `false`, channel by channel. The former is faster for some networks on a CPU, "
        "too. If not given, it is so on GPUs.",
    )
    compile: Flag = Field(
        False,
        description="Send training steps through `torch.compile`: seconds to minutes at a worker's "
        "start, faster steps of small networks; see [performance](../performance.md).",
    )
    data_parallel: UpTo1000 = Field(
        1,
        description="Processes that train one run together, each with a device of its own and its "
        "share of every batch, for networks that need it; see "
        "[clusters](../how-to/cluster.md#several-devices-a-run).",
    )
    engine: Literal["auto", "solo", "fused"] = Field(
        "auto",
        description="How runs are trained: one by one, or stacked into one model. `auto` is fixed "
        "before the first run: solo for convolutions on a CPU and for networks that cannot be "
        "stacked, else fused. A weighting that is never stacked is solo in any case.",
    )
    pack_size: PositiveInt | None = Field(
        None, description="Most runs of a pack; by calibration if not given."
    )
    pack_memory_gib: Quantity | None = Field(
        None, description="Most memory of a pack, in GiB; half of what is free if not given."
    )
    run_limit_s: Duration | None = Field(
        None, description="Longest time of one attempt at a run; a worker that hangs is ended."
    )
    open_limit_s: Duration = Field(
        1800.0,
        description="Longest time until a worker can train: torch, data, a first forward pass. One "
        "that hangs there is ended.",
    )
    silence_limit_s: Duration = Field(
        120.0,
        description="Longest time without a sign of life from a training worker while the driver "
        "listens; one that is silent for longer is ended.",
    )
    strict_code: Flag = Field(
        False,
        description="Refuse to go on once the source of your own modules has changed, instead of "
        "noting it; see [your own problem](../how-to/own-problem.md#when-your-code-changes).",
    )
    checkpoint_cap_mib: Quantity = Field(
        2048.0, description="Most that a study's checkpoint files may take, in MiB."
    )
    checkpoint_s: SecondsFrom0 = Field(
        15.0, description="Least seconds between two checkpoints of a run."
    )

    @model_validator(mode="after")
    def _one_by_one_or_stacked(self) -> Self:
        alone = {
            "channels_last": bool(self.channels_last),
            'precision = "float16"': self.precision == "float16",
            "micro_batch_size": self.micro_batch_size is not None,
        }
        found = [f"`{name}`" for name, is_there in alone.items() if is_there]
        if found and self.engine == "fused":
            raise ValueError(
                f"{found[0]} is for runs that are trained one by one. Got it beside "
                '`engine = "fused"`. Drop one.'
            )
        return self

    @model_validator(mode="after")
    def _in_parts(self) -> Self:
        if self.micro_batch_size is None:
            return self
        if self.micro_batch_size > self.batch_size:
            raise ValueError(
                "`micro_batch_size` is a part of `batch_size`. "
                f"Got {self.micro_batch_size} of {self.batch_size}. Lower it."
            )
        beside = {"compile": self.compile, "data_parallel": self.data_parallel > 1}
        if found := [f"`{name}`" for name, is_there in beside.items() if is_there]:
            raise ValueError(
                "`micro_batch_size` goes with steps that one process takes, uncompiled. "
                f"Got it beside {', '.join(found)}. Drop one."
            )
        return self

    @model_validator(mode="after")
    def _together_or_packed(self) -> Self:
        if self.data_parallel == 1:
            return self
        beside = {
            "pack_size": self.pack_size is not None,
            "pack_memory_gib": self.pack_memory_gib is not None,
            'engine = "fused"': self.engine == "fused",
            "compile": self.compile,
        }
        if found := [f"`{name}`" for name, is_there in beside.items() if is_there]:
            raise ValueError(
                "`data_parallel` trains one run at a time, uncompiled. "
                f"Got it beside {', '.join(found)}. Drop one."
            )
        if self.batch_size < self.data_parallel:
            raise ValueError(
                "`batch_size` must give each process of `data_parallel` a sample. "
                f"Got {self.batch_size} for {self.data_parallel}. Raise it."
            )
        return self
