"""Recordings in which nobody can be recognised: heads, people or everything hidden, recall first."""
