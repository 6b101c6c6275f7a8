"""Student's t against closed forms and against tables, whole degrees of freedom or not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.inference.student import t_cdf, t_quantile

LEVELS = st.floats(0.001, 0.999)
FREEDOMS = st.floats(1, 1e6)

# scipy.stats.t.ppf(level, df), scipy 1.17.1
TABLE = [
    (0.6, 1.0, 0.32491969623290634),
    (0.6, 1.5, 0.30074539256979543),
    (0.6, 2.0, 0.2886751345948128),
    (0.6, 2.7, 0.27932846331796923),
    (0.6, 4.0, 0.2707222947075976),
    (0.6, 9.5, 0.2605495681986849),
    (0.6, 22.0, 0.25643203434447076),
    (0.6, 101.0, 0.25401548821219094),
    (0.6, 5000.0, 0.25336058396923183),
    (0.9, 1.0, 3.0776835371752544),
    (0.9, 1.5, 2.1963984175655376),
    (0.9, 2.0, 1.8856180831641272),
    (0.9, 2.7, 1.6881081751466425),
    (0.9, 4.0, 1.533206274058944),
    (0.9, 9.5, 1.3773005643959917),
    (0.9, 22.0, 1.321236741613362),
    (0.9, 101.0, 1.2899898085679689),
    (0.9, 5000.0, 1.2817209053357184),
    (0.975, 1.0, 12.706204736174694),
    (0.975, 1.5, 6.016663104427929),
    (0.975, 2.0, 4.302652729749462),
    (0.975, 2.7, 3.3921483831737507),
    (0.975, 4.0, 2.7764451051977934),
    (0.975, 9.5, 2.2441374614922958),
    (0.975, 22.0, 2.0738730679040254),
    (0.975, 101.0, 1.983731002955606),
    (0.975, 5000.0, 1.9604385517065073),
    (0.995, 1.0, 63.656741162871526),
    (0.995, 1.5, 17.820310514462804),
    (0.995, 2.0, 9.924843200918287),
    (0.995, 2.7, 6.533128433408452),
    (0.995, 4.0, 4.604094871349992),
    (0.995, 9.5, 3.2070156284394886),
    (0.995, 22.0, 2.8187560606001423),
    (0.995, 101.0, 2.6253859646684408),
    (0.995, 5000.0, 2.5768129665562802),
    (0.9995, 1.0, 636.6192487687897),
    (0.9995, 1.5, 82.84744670366369),
    (0.9995, 2.0, 31.599054576445365),
    (0.9995, 2.7, 15.63577286317451),
    (0.9995, 4.0, 8.610301581379522),
    (0.9995, 9.5, 4.677275237950294),
    (0.9995, 22.0, 3.792130671698437),
    (0.9995, 101.0, 3.3894748840473063),
    (0.9995, 5000.0, 3.2924737233708825),
]


@pytest.mark.parametrize(("level", "df", "wanted"), TABLE)
def test_quantiles_are_those_of_the_table(level: float, df: float, wanted: float) -> None:
    assert float(t_quantile(level, df)) == pytest.approx(wanted, rel=1e-10)


@given(LEVELS)
def test_one_and_two_degrees_of_freedom_have_closed_forms(level: float) -> None:
    cauchy = math.tan(math.pi * (level - 0.5))
    two = (2 * level - 1) / math.sqrt(2 * level * (1 - level))
    found = t_quantile(level, [1.0, 2.0])
    assert found == pytest.approx([cauchy, two], rel=1e-10, abs=1e-12)


@given(LEVELS, FREEDOMS)
def test_a_quantile_has_its_level_below_it(level: float, df: float) -> None:
    assert float(t_cdf(t_quantile(level, df), df)) == pytest.approx(level, abs=1e-9)


@given(st.floats(-50, 50), FREEDOMS)
def test_the_distribution_is_symmetric(t: float, df: float) -> None:
    assert float(t_cdf(t, df) + t_cdf(-t, df)) == pytest.approx(1.0, abs=1e-12)


def test_arrays_are_worked_on_at_once() -> None:
    found = t_quantile(np.array([[0.9], [0.975]]), np.array([2.0, 5.0, 30.0]))
    assert found.shape == (2, 3)
    assert found[1, 1] == pytest.approx(2.570581835636314)
