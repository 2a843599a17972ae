"""The data kept for each article: fingerprints, term counts and number contexts."""
