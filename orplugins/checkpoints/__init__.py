"""Reading published checkpoints: name maps, and files that are never executed."""
