"""From a candidate pair to log-odds: TF-IDF, recurrence and evidence."""
