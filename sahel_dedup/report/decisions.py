"""What people decided about the stories of a report, by the corrections that they made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sahel_dedup.corrections.corrections import Correction, Corrections


@dataclass(frozen=True, slots=True)
class Decision:
    """A correction, and whether the stories of the report follow it.

    Attributes
    ----------
    correction : Correction
    followed : bool or None
        ``None`` if the report does not have both articles.
    """

    correction: Correction
    followed: bool | None


def decisions(corrections: Corrections, story_of: Mapping[str, str]) -> dict[str, list[Decision]]:
    """Find the corrections that name articles of each story.

    Parameters
    ----------
    corrections : Corrections
    story_of : mapping of str to str
        The story of each article.

    Returns
    -------
    dict of str to list of Decision
        By story; those that join articles come first.
    """
    found: dict[str, list[Decision]] = {}
    for correction in sorted(corrections, key=lambda c: not c.same):
        stories = story_of.get(correction.a), story_of.get(correction.b)
        together = None if None in stories else stories[0] == stories[1]
        followed = None if together is None else together == correction.same
        for story in dict.fromkeys(stories):
            if story is not None:
                found.setdefault(story, []).append(Decision(correction, followed))
    return found
