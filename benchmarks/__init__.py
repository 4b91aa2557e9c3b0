"""Side-by-side timings, each printing a ratio: ``python -m benchmarks``."""
