"""RefiNet (D'Eusanio et al., ICPR 2020): lifting 2D poses with a depth image, and refining them.

Poses are ITOP-15 in millimetres with y **up** (the axes of ITOP's labels), depth images are millimetres, 0 = hole, and
pixels follow ITOP: its principal point is (160, 120). Tools convert to and from the project's metres at their edges.
"""
