"""What ``spark-submit`` runs: ``sahel-dedup cluster --engine spark`` with its own arguments."""

from __future__ import annotations

import sys

from sahel_dedup.cli import app

if __name__ == "__main__":
    app(["cluster", "--engine", "spark", *sys.argv[1:]])
