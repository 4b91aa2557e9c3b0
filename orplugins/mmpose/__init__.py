"""Adapters into mmpose 1.x: they translate between its types and `orplugins.core` / `orplugins.nn`."""
