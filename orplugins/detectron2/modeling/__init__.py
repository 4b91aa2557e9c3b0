"""Models for detectron2. Importing a module registers its classes."""
