"""What several methods share towards a host."""
