"""Generated operating-room scenes with exact ground truth."""
