"""Recorded motion: Kinect records, clips, and how well two recordings agree."""
