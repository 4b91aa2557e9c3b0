"""Evaluators for detectron2."""
