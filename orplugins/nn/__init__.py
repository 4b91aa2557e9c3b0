"""Plain torch modules: no registry, no host framework."""
