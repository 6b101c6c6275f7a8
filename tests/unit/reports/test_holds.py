"""The report's section on how far a comparison holds."""

from reports import compare
from reports._ranking import number
from reports.html._holds import how_far_it_holds
from tests.unit.reports import synthetic


def test_it_is_said_with_its_tables() -> None:
    frames = synthetic.frames()
    comparison = compare(frames)
    section = how_far_it_holds(frames, comparison)
    assert section is not None
    assert comparison.robustness is not None
    for sentence in comparison.caveats:
        assert f"<p>{sentence}</p>" in section
    for reading in comparison.robustness.readings:
        assert f'<th scope="row">{reading.name}</th>' in section
    for one in comparison.tuning:
        assert one.untuned is not None
        assert f"<td>{number(comparison.objective, one.untuned.value)} [" in section
    assert section.count("</table>") == 3


def test_nothing_is_said_while_there_are_no_values() -> None:
    frames = synthetic.frames(empty=True)
    assert how_far_it_holds(frames, compare(frames)) is None
