"""Reasons: the corrections that decide about two articles, for explanations."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from sahel_dedup.corrections.corrections import Correction, Corrections


def reasons(
    corrections: Corrections, ours: Mapping[str, int], theirs: Mapping[str, int], a: str, b: str
) -> tuple[Correction, ...]:
    """Return the corrections that decide whether two articles are one story.

    Parameters
    ----------
    corrections : Corrections
    ours, theirs : mapping of str to int
        The articles of the two stories, each with the part to which it would belong if no
        corrections joined stories.
    a, b : str
        The articles.

    Returns
    -------
    tuple of Correction
        In one story: the shortest chain that holds the two together, in order from `a` to `b`. In
        two stories: those that keep them apart, and only those on these two articles if there are
        any. Empty if the evidence decides.
    """
    if not corrections:
        return ()
    return (
        _joining(corrections, ours, a, b)
        if b in ours
        else (_parting(corrections, [a], [b]) or _parting(corrections, ours, theirs))
    )


def _joining(
    corrections: Corrections, parts: Mapping[str, int], a: str, b: str
) -> tuple[Correction, ...]:
    if chain := corrections.chain(a, b):
        return chain
    named: dict[int, list[str]] = {}
    for article in sorted(parts):
        if corrections.group(article) is not None:
            named.setdefault(parts[article], []).append(article)
    # Go from part to part, through any article of each.
    came: dict[int, tuple[int, tuple[Correction, ...]] | None] = {parts[a]: None}
    waiting = deque([parts[a]])
    while waiting and parts[b] not in came:
        part = waiting.popleft()
        for article in named.get(part, ()):
            for other in corrections.members(corrections.group(article) or article):
                if other in parts and parts[other] not in came:
                    came[parts[other]] = part, corrections.chain(article, other)
                    waiting.append(parts[other])
    found: list[Correction] = []
    step = came.get(parts[b])
    while step is not None:
        found[:0] = step[1]
        step = came[step[0]]
    return tuple(dict.fromkeys(found))


def _parting(
    corrections: Corrections, ours: Iterable[str], theirs: Iterable[str]
) -> tuple[Correction, ...]:
    one, other = ({corrections.group(name) for name in names} - {None} for names in (ours, theirs))
    found = []
    for correction in corrections:
        groups = corrections.group(correction.a), corrections.group(correction.b)
        crossing = (groups[0] in one and groups[1] in other) or (
            groups[1] in one and groups[0] in other
        )
        if crossing and not correction.same:
            found.append(correction)
    return tuple(found)
