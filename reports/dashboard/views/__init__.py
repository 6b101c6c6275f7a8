"""Search views: where good trials are, and what matters. One file each; all are in `VIEWS`.

They are drawn on the server, of a study's mirror where its numbers suffice, by what draws the
report's figures; each dot is a link to its trial.
"""

from reports.dashboard.views._cloud import Cloud, cloud_of
from reports.dashboard.views._course import COURSE
from reports.dashboard.views._figures import CONFLICTS, CURVES, WEIGHTS
from reports.dashboard.views._importances import IMPORTANCES
from reports.dashboard.views._parallel import PARALLEL
from reports.dashboard.views._parameter import PARAMETER, TEMPERATURE
from reports.dashboard.views._rates import RATES
from reports.dashboard.views._simplex import SIMPLEX
from reports.dashboard.views._tradeoff import TRADEOFF
from reports.dashboard.views._view import Drawn, Seen, Undrawn, View

VIEWS = (
    COURSE,
    SIMPLEX,
    TEMPERATURE,
    PARAMETER,
    RATES,
    PARALLEL,
    IMPORTANCES,
    TRADEOFF,
    WEIGHTS,
    CONFLICTS,
    CURVES,
)
"""In the order in which pages list them."""

__all__ = ["VIEWS", "Cloud", "Drawn", "Seen", "Undrawn", "View", "cloud_of"]
