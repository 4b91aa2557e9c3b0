"""People of cameras that run: sources, frames that belong together, stages with bounded queues, output, a viewer.

Frames come in (`sources`, `capture`), those of one moment are put together by their clocks (`clock`, `pairing`), pass
through stages of which each has a thread and a short queue (`stages`), and leave as lines (`messages`, `outputs`,
`server`). The newest frame wins: what is too late is dropped and counted, so that latency and memory stay flat.
Networks and what places people in 3D are given as callables (`pipeline`); no host is imported, and no torch.
"""
