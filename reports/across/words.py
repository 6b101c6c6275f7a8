"""What several studies say together, in sentences that say no more than problems can tell."""

from collections.abc import Iterator, Sequence

from reports._ranking import number
from reports.across.methods import Method
from reports.across.standings import Ranking, Strata
from reports.comparing.differences import Difference
from reports.comparing.wording import gaps_of, span
from storage.objectives import Objective
from storage.wording import counted


def sentences(
    objective: Objective,
    *,
    strata: Strata,
    sealed: Sequence[str],
    without: Sequence[str],
    methods: Sequence[Method],
    ranking: Ranking | None,
    differences: Sequence[Difference],
) -> Iterator[str]:
    """Say what was compared, what the mean ranks tell, and how the subject does.

    Args:
        sealed: Studies whose test values are not shown.
        without: Other studies in which no method has a final value.
        methods: All of them.
        ranking: None where there is nothing to rank.
        differences: Means over problems, of the subject to each other method.
    """
    for label in sealed:
        yield f"{label} is sealed: no test value of it is shown before `weighbridge unseal`."
    if without:
        yield f"No method has a final value yet in {', '.join(without)}."
    if ranking is None:
        yield (
            "Undecided: fewer than two methods have a final value in two studies or more, so "
            "nothing can be said over studies."
        )
        return
    n_studies = sum(len(labels) for labels in strata.values())
    yield (
        f"{counted(len(ranking.standings), 'method')} over "
        f"{counted(n_studies, 'study', 'studies')} of {counted(len(strata), 'problem')}, "
        f"by test {objective.title}."
    )
    yield rank_sentence(ranking)
    titles = {method.key: method.title for method in methods}
    yield from _subject(objective, differences, titles)


def rank_sentence(ranking: Ranking) -> str:
    """What a difference of mean ranks must be to tell anything, and whether one is."""
    n_methods, n_problems = len(ranking.standings), ranking.n_problems
    over = f"{counted(n_methods, 'method')} over {counted(n_problems, 'problem')}"
    if ranking.critical > ranking.widest:
        need = "" if n_methods == 2 else f" {ranking.critical:.1f} apart, where"
        only = (
            f"Mean ranks of {over} tell nothing, whatever the results: to be told apart (Nemenyi, "
            f"5 %) they must lie{need} {ranking.widest} is the most there can be."
            if need
            else f"Mean ranks of {over} tell nothing, whatever the results (sign test, 5 %)."
        )
        return f"{only} From about {ranking.fewest_problems} problems on they can."
    test = "sign test" if n_methods == 2 else "Nemenyi"
    must = (
        f"Mean ranks of {over} must lie {ranking.critical:.1f} apart to be told apart ({test}, "
        f"5 %), of {ranking.widest} at most"
    )
    if 2 * ranking.critical > ranking.widest:
        must += (
            ": only a method that is nearly everywhere among the best is told from one that is "
            "nearly everywhere among the worst"
        )
    if ranking.apart:
        pairs = ", ".join(
            f"{one.method.title} ({one.mean_rank:.1f}) from {other.method.title} "
            f"({other.mean_rank:.1f})"
            for one, other in ranking.apart
        )
        return f"{must}. Told apart are {pairs}; all else is undecided."
    wanted = ranking.problems_to_tell
    more = (
        f" The first and the last, {ranking.range:.1f} apart, would be told apart by about "
        f"{counted(wanted, 'problem')}, if ranks stay what they are."
        if wanted
        else ""
    )
    return f"{must}. No two are: which method ranks first is undecided.{more}"


def _subject(
    objective: Objective, differences: Sequence[Difference], titles: dict[str, str]
) -> Iterator[str]:
    """The mean difference of the subject to each other method, from problem to problem."""
    if not differences:
        return
    gaps, subject = gaps_of(objective), titles[differences[0].a]
    if all(found.interval is None for found in differences):
        yield (
            f"Whether {subject} is better than another method on other problems is undecided: "
            "one problem has no spread from problem to problem."
        )
        return
    for verdict in ("better", "worse", "comparable"):
        for found in differences:
            if found.verdict == verdict and found.interval is not None:
                than = "to" if verdict == "comparable" else "than"
                yield (
                    f"Over problems {subject} is {verdict} {than} {titles[found.b]}: "
                    f"{number(gaps, found.value)} (95 % interval {span(gaps, found.interval)})."
                )
    if open_ := [titles[found.b] for found in differences if found.verdict == "undecided"]:
        yield f"Over problems {subject} is undecided against {', '.join(open_)}."
