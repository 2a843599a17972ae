"""Quality of stories: against labels, against judged pairs, or without either."""

from sahel_dedup.evaluation.judged_pairs import JudgedPair, read_pairs, read_stories
from sahel_dedup.evaluation.metrics import Evaluation, Score, evaluate, read_labels
from sahel_dedup.evaluation.pair_sample import PairSample, sample_pairs
from sahel_dedup.evaluation.pair_scores import PairEvaluation, evaluate_pairs

__all__ = [
    "Evaluation",
    "JudgedPair",
    "PairEvaluation",
    "PairSample",
    "Score",
    "evaluate",
    "evaluate_pairs",
    "read_labels",
    "read_pairs",
    "read_stories",
    "sample_pairs",
]
