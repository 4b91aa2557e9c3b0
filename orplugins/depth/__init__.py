"""Depth images: units, holes, low-resolution models, PNG files."""
