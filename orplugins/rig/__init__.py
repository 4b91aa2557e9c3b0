"""A rig from its people: where the cameras of a room are, from 2D poses of those who work in it."""
