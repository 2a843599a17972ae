"""What is kept of an article: fingerprints, term counts, number contexts."""
