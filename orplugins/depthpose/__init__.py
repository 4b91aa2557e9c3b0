"""DepthPose (Srivastav et al., MICCAI 2019): 2D poses from low-resolution depth images."""
