"""Studies: what is asked, how it is searched, and the drivers that carry the work.

>>> from study import Study
>>> digits = Study.open("digits")
>>> digits.plan.spec.problem
'digits'
"""

from study._version import __version__
from study.api import Study
from study.errors import StudyError

__all__ = ["Study", "StudyError", "__version__"]
