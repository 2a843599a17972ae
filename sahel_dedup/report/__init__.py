"""The report: a clustered archive as one HTML file for people to read."""

from sahel_dedup.report.html import write_report

__all__ = ["write_report"]
