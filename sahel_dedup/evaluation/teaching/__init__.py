"""Teaching: the constants of the evidence are fitted to an archive from a person's answers."""

from sahel_dedup.evaluation.teaching.lesson import Lesson, ask, teach

__all__ = ["Lesson", "ask", "teach"]
