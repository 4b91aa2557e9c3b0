"""AdaptOR in detectron2."""
