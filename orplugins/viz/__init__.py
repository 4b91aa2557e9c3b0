"""Drawing: poses on images, figures, colours."""
