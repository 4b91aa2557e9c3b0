"""Pose estimators for mmpose."""
