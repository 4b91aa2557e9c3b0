"""Lets xtcocotools 1.14.3 be built by Python 3.13: a folder to put on PYTHONPATH for that one `pip install`.

Its setup.py reads the version with a bare ``exec`` inside a function and looks it up in ``locals()``, which Python 3.13
keeps apart (PEP 667). The frame's own ``f_locals`` is still shared by both.
"""

import builtins
import sys

_exec = builtins.exec


def exec_in_caller(source, *namespaces, **options):
    """`exec` whose namespaces, where none are given, are those of the caller's frame.

    Args:
        source: What to execute.
        *namespaces: Globals and locals.
        **options: Others of `exec`.

    Returns:
        None.
    """
    if not namespaces:
        frame = sys._getframe(1)
        namespaces = (frame.f_globals, frame.f_locals)
    return _exec(source, *namespaces, **options)


builtins.exec = exec_in_caller
