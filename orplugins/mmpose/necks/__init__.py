"""Necks for mmpose."""
