"""Data sets and mappers for detectron2."""
