"""The facts that cross storage's border: frozen values, no database rows.

Times are seconds; `params` is canonical JSON, so that equal points are equal texts; in
`written` whole numbers are whole.
"""

from storage.records._changes import AttemptChange, Changes, DecisionChange, RunChange
from storage.records._history import (
    Baseline,
    BaselineValue,
    Decision,
    NewRun,
    Proposal,
    Reference,
    RunOutcome,
    SearchHistory,
    StageEntry,
    Verdict,
)
from storage.records._leases import Claim, Claimed, Holder
from storage.records._log import AttemptLog, Cause, TrainedWith
from storage.records._reports import (
    CheckpointFile,
    CheckpointRecord,
    Ending,
    EpochRecord,
    Mismatch,
    NetworkFile,
    NetworkRecord,
    Recorded,
    Rejected,
    Report,
    SelectedEpoch,
    Spent,
    StoredNetwork,
)
from storage.records._status import (
    BadEnding,
    BestTrial,
    FailureGroup,
    PackCosts,
    SearchStatus,
    Totals,
    Unfinished,
)
from storage.records._studies import (
    Calibration,
    EpochTiming,
    InitialNetwork,
    NetworkLook,
    Revision,
    SearchRecord,
    StudyRecord,
)

__all__ = [
    "AttemptChange",
    "AttemptLog",
    "BadEnding",
    "Baseline",
    "BaselineValue",
    "BestTrial",
    "Calibration",
    "Cause",
    "Changes",
    "CheckpointFile",
    "CheckpointRecord",
    "Claim",
    "Claimed",
    "Decision",
    "DecisionChange",
    "Ending",
    "EpochRecord",
    "EpochTiming",
    "FailureGroup",
    "Holder",
    "InitialNetwork",
    "Mismatch",
    "NetworkFile",
    "NetworkLook",
    "NetworkRecord",
    "NewRun",
    "PackCosts",
    "Proposal",
    "Recorded",
    "Reference",
    "Rejected",
    "Report",
    "Revision",
    "RunChange",
    "RunOutcome",
    "SearchHistory",
    "SearchRecord",
    "SearchStatus",
    "SelectedEpoch",
    "Spent",
    "StageEntry",
    "StoredNetwork",
    "StudyRecord",
    "Totals",
    "TrainedWith",
    "Unfinished",
    "Verdict",
]
