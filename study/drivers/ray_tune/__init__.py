"""Ray's door: nothing outside imports Ray. Each module loads no more of it than it needs.

Ray reads the settings below as it is imported, by whichever module is the first.
"""

import os

os.environ.setdefault("RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS", "0")
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")  # results go to the database
os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")  # Tune would find the Ray of somebody else
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")  # the old output can be turned off
os.environ.setdefault("RAY_CHDIR_TO_TRIAL_DIR", "0")
os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", "3600")  # of a folder that nobody reads
