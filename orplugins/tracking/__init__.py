"""Who is who over time in one camera's images, frame by frame, and what makes joints calm."""
