"""Values of epochs, read in parts: a large study has millions of them, and a report needs few."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import numpy as np
import pandas as pd

Names = Mapping[int, tuple[str, str]]
"""Series to its task and metric."""
Rows = Sequence[tuple[int, int, int, float]]
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
    ) -> tuple[Names, Rows]:
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
