"""The report: a clustered archive as one HTML file that people look at."""

from sahel_dedup.report.html import write_report

__all__ = ["write_report"]
