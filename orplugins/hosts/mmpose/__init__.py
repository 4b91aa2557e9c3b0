"""What several methods share towards mmpose."""
