"""Teaching: constants of the evidence fitted to an archive by answers of a person."""

from sahel_dedup.evaluation.teaching.lesson import Lesson, ask, teach

__all__ = ["Lesson", "ask", "teach"]
