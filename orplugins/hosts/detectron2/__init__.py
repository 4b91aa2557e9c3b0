"""What several methods share towards detectron2."""
