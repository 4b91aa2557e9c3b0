# Lifting and module B alone for operating rooms: what demo/refinet_or-b.pth is for, and tools/refine3d.py's default.
_base_ = ['./refinet_or.py']

model = dict(patch_net=None, point_net=None)
