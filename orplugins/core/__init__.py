"""The maths: NumPy (torch where stated), no host framework, no file access."""
