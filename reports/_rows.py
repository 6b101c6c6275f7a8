"""Rows of the study database as DataFrames: views with their types, and values of epochs in parts.

A large study has millions of epochs, and a report needs few of them.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import pandas as pd

from reports.errors import BadView

# The columns that reports need from each view; one may have more, which are kept as they come.
# "Int64" (with a capital) is pandas' integer that may be missing; "utc" is a time with its zone.
_SCHEMA: Mapping[str, str] = MappingProxyType(
    {
        "run_results": "study:str search:str weighting:str role:str trial:int64 run:int64 "
        "params:str seed:int64 state:str planned:bool epochs:int64 epoch_selected:Int64 "
        "delta_m_val:float64 delta_m_test:float64 baseline_hash:str diverged_epoch:Int64 "
        "device_s:float64 method_cost_s:float64 solo_cost_s:float64 grad_evals:float64 "
        "value_val:float64 value_test:float64",
        "attempt_costs": "study:str attempt:int64 run:Int64 worker:str kind:str state:str "
        "failure:str device:str hardware:str code_version:str code_fingerprint:str "
        "started:utc ended:utc "
        "device_s:float64 startup_s:float64 train_s:float64 validation_s:float64 test_s:float64 "
        "checkpoint_s:float64 diagnostics_s:float64 epochs:float64 samples:float64 "
        "grad_evals:float64 flops:float64 energy_j:float64 money:float64",
        "stage_trials": "study:str search:str stage:int64 kind:str params_tuned:str round:int64 "
        "position:int64 trial:int64",
        "stage_decisions": "study:str search:str stage:int64 trial:int64 value:float64 "
        "baseline_hash:str standing:bool",
        "baseline_metrics": "study:str baseline_hash:str task:str metric:str split:str "
        "value:float64 source:str trial:Int64 standing:bool",
        "gradient_conflicts": "study:str run:int64 epoch:int64 pairing:str measure:str "
        "n_pairs:int64 n_left_out:int64 mean:float64 sd:float64 percentile_2_5:float64 "
        "median:float64 percentile_97_5:float64 one_by_one:bool",
        "training_rounds": "study:str run:int64 round:int64 first_epoch:int64 last_epoch:int64 "
        "train_s:float64 validation_s:float64 grad_evals:int64",
        "epoch_timings": "study:str search:str weighting:str role:str attempt:int64 sweep:int64 "
        "hardware:str measured:utc epoch_s:float64",
    }
)


def typed_frame(view: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Make a DataFrame of a view's rows, each column with its type.

    Raises:
        BadView: A column that reports need is not there, or parameters of a trial are none.
    """
    wanted = dict(item.split(":") for item in _SCHEMA[view].split())
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise BadView(
            f"The view `{view}` must have every column read. Missing: {', '.join(missing)}. "
            f"Got: {', '.join(columns)}. Migrate the study database to this version's schema."
        )
    frame = pd.DataFrame.from_records(rows, columns=list(columns))
    if "params" in wanted:
        _refuse_others_than_objects(view, frame["params"].unique())
    return pd.DataFrame(
        {name: _typed(of, wanted[name]) if name in wanted else of for name, of in frame.items()}
    )


def _refuse_others_than_objects(view: str, params: Iterable[str]) -> None:
    for text in params:
        try:
            is_object = isinstance(json.loads(text), dict)
        except (ValueError, RecursionError):
            is_object = False
        if not is_object:
            raise BadView(
                "Parameters of a trial must be a JSON object, as `weighbridge run` writes them. "
                f"Got {text[:60]!r} in the view `{view}`. Take a copy of the study database from "
                "before it was changed by other means, or delete the study."
            )


def _typed(column: "pd.Series[Any]", kind: str) -> "pd.Series[Any]":
    if kind == "utc":
        return pd.to_datetime(column, utc=True, format="ISO8601").dt.as_unit("us")
    if kind == "Int64":  # a column of None has no numbers to convert from
        return pd.to_numeric(column).astype("Int64")
    typed = column.astype(pd.api.types.pandas_dtype(kind))
    return typed.where(column.notna(), None) if kind == "str" else typed  # pandas 2 writes "None"


Names = Mapping[int, tuple[str, str]]
"""Series to its task and metric."""
EpochRows = Sequence[tuple[int, int, int, float]]
"""Run, epoch, series, value; in this order."""

_FEW_RUNS = 500


class EpochReader(Protocol):
    """Read access to the values of epochs of a study."""

    def epochs(
        self,
        study: str,
        *,
        split: str,
        metric: str | None = None,
        runs: Collection[int] | None = None,
        last: int | None = None,
    ) -> tuple[Names, EpochRows]:
        """The values of a split, by run, epoch and series.

        Args:
            metric: Of this name only.
            runs: Of these runs only.
            last: Of so many epochs up to the selected one of each run only; without those that
                have none.
        """

    def lowest_negative(self, study: str) -> Mapping[tuple[str, str], float]:
        """The lowest value of each (task, metric) that has one below 0 on validation or test.

        Selected epochs count, and no others.
        """


class Epochs:
    """The values of epochs of one study, as in the view ``epoch_metrics``."""

    def __init__(self, reader: EpochReader, study: str) -> None:
        self._reader, self._study = reader, study

    def rows(
        self,
        *,
        split: str,
        metric: str | None = None,
        runs: Collection[int] | None = None,
        last: int | None = None,
    ) -> pd.DataFrame:
        """Columns run, epoch, task, metric, value, by run and epoch.

        Args:
            metric: Of this name only.
            runs: Of these runs only.
            last: Of so many epochs up to the selected one of each run only.
        """
        wanted = None if runs is None else {int(run) for run in runs}
        # many runs would make a statement too long for a database
        asked = sorted(wanted) if wanted is not None and len(wanted) <= _FEW_RUNS else None
        names, rows = self._reader.epochs(
            self._study, split=split, metric=metric, runs=asked, last=last
        )
        table = np.array(rows, dtype=_ROW)
        known = sorted(names)
        at = np.searchsorted(known, table["series"])
        frame = pd.DataFrame(
            {
                "run": table["run"],
                "epoch": table["epoch"],
                **{
                    column: pd.Series([names[k][part] for k in known], dtype="str").take(at).array
                    for part, column in enumerate(("task", "metric"))
                },
                "value": table["value"],
            }
        )
        return frame if wanted is None or asked is not None else frame[frame["run"].isin(wanted)]

    def lowest_negative(self) -> Mapping[tuple[str, str], float]:
        """The lowest value of each (task, metric) that has one below 0 on validation or test.

        Selected epochs count, and no others.
        """
        return self._reader.lowest_negative(self._study)


_ROW = np.dtype([("run", "i8"), ("epoch", "i8"), ("series", "i8"), ("value", "f8")])
