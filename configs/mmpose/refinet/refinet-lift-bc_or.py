# Lifting and modules B and C for operating rooms: what demo/refinet_or-bc.safetensors is for, and tools/refine3d.py's
# default. Module A is left out: it has not learned to help (docs/refinet/measurements.md).
_base_ = ["./refinet_or.py"]

model = dict(patch_net=None)
