"""The columns that reports need from each database view, with their types.

A view may have more columns than these; they are kept as they come.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

from reports.errors import BadView

# "Int64" (with a capital) is pandas' integer that may be missing; "utc" is a time with its zone.
_SCHEMA: Mapping[str, str] = MappingProxyType(
    {
        "run_results": "study:str search:str weighting:str role:str trial:int64 run:int64 "
        "params:str seed:int64 state:str planned:bool epochs:int64 epoch_selected:Int64 "
        "delta_m_val:float64 delta_m_test:float64 baseline_hash:str diverged_epoch:Int64 "
        "device_s:float64 method_cost_s:float64 solo_cost_s:float64 grad_evals:float64",
        "attempt_costs": "study:str attempt:int64 run:Int64 worker:str kind:str state:str "
        "failure:str device:str hardware:str code_version:str code_fingerprint:str "
        "started:utc ended:utc "
        "device_s:float64 startup_s:float64 train_s:float64 validation_s:float64 test_s:float64 "
        "checkpoint_s:float64 diagnostics_s:float64 epochs:float64 samples:float64 "
        "grad_evals:float64",
        "stage_trials": "study:str search:str stage:int64 kind:str params_tuned:str round:int64 "
        "position:int64 trial:int64",
        "stage_decisions": "study:str search:str stage:int64 trial:int64 value:float64 "
        "baseline_hash:str standing:bool",
        "baseline_metrics": "study:str baseline_hash:str task:str metric:str split:str "
        "value:float64 source:str trial:Int64 standing:bool",
    }
)


def typed_frame(view: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Make a DataFrame of a view's rows, each column with its type.

    Raises:
        BadView: A column that reports need is not there.
    """
    wanted = dict(item.split(":") for item in _SCHEMA[view].split())
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise BadView(
            f"The view `{view}` must have every column read. Missing: {', '.join(missing)}. "
            f"Got: {', '.join(columns)}. Migrate the study database to this version's schema."
        )
    frame = pd.DataFrame.from_records(rows, columns=list(columns))
    return frame.assign(**{name: _typed(frame[name], kind) for name, kind in wanted.items()})


def _typed(column: "pd.Series[Any]", kind: str) -> "pd.Series[Any]":
    if kind == "utc":
        return pd.to_datetime(column, utc=True, format="ISO8601")
    if kind == "Int64":  # a column of None has no numbers to convert from
        return pd.to_numeric(column).astype("Int64")
    return column.astype(pd.api.types.pandas_dtype(kind))
