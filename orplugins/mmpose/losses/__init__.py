"""Losses for mmpose."""
