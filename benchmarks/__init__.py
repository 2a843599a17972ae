"""Measurements on real news; ``python -m benchmarks`` lists them."""
