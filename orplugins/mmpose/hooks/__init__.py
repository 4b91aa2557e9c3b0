"""Hooks for mmpose's runner."""
