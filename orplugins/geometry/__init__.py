"""Geometry of cameras, points and poses, and signals over time: NumPy and SciPy only."""
