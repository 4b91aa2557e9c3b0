"""The parts of ``dev/gpu_check.py``: modules with ``checks(session, hosts)``, which yields that part's checks."""
