"""VideoPose3D (Pavllo et al., CVPR 2019): lifting sequences of 2D joints to 3D."""
