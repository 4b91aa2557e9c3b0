"""Heads for mmpose."""
