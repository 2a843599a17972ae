"""Why two articles are, or are not, one story: what they share and where they differ."""

from sahel_dedup.explain.explanation import Explanation, explain
from sahel_dedup.explain.reported_quantities import ReportedQuantity, find_reported_quantities

__all__ = ["Explanation", "ReportedQuantity", "explain", "find_reported_quantities"]
