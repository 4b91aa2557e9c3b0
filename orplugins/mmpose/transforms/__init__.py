"""Data transforms for mmpose."""
