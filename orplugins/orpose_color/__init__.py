"""ORPose-Color (Srivastav et al., MICCAI 2020): 2D and 3D poses from low-resolution colour images."""
