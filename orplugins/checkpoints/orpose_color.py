"""Files that ORPose-Color's student starts from: its own, detectron2's model zoo's (.pkl), older torch files.

The release's names are the model's own, so nothing is renamed; detectron2's loader reports what does not fit. What has
to be added is that no file is opened that would execute code.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from pathlib import Path

from orplugins.checkpoints.safety import UnsafeCheckpointError, _allowed, check_checkpoint, pickle_globals

# A file of torch before 1.6 is these pickles one after another: magic number, protocol, system, object, storage keys.
_LEGACY_PICKLES = 5
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


def check_weights(path: str | Path) -> None:
    """Refuse a file of weights that is truncated or would execute code; nothing in it is executed.

    Args:
        path: A ``.pkl`` of detectron2's model zoo, or a torch checkpoint, also of torch before 1.6.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Truncated, or neither of these.
        UnsafeCheckpointError: It names a callable that a file of weights has no need of.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"checkpoint {path}: no such file")
    with path.open("rb") as file:
        start = file.read(4)
    if path.suffix != ".pkl" and start == b"PK\x03\x04":
        check_checkpoint(path)
        return
    stream = io.BytesIO(path.read_bytes())
    pickles = 1 if path.suffix == ".pkl" else _LEGACY_PICKLES
    for number in range(pickles):
        begin = stream.tell()
        try:
            _refuse_code(path, stream)
        except UnsafeCheckpointError:
            raise
        except Exception as error:  # pickletools raises whatever the bytes lead to
            raise ValueError(f"checkpoint {path}: truncated or not a file of weights ({error})") from None
        if number == 0 and path.suffix != ".pkl":
            magic = stream.getvalue()[begin : stream.tell()]
            if pickle.loads(magic) != _LEGACY_MAGIC:  # plain values only: it was just looked through
                raise ValueError(f"checkpoint {path}: not a torch checkpoint, expected one written by torch.save")


def _refuse_code(path: Path, stream: io.BytesIO) -> None:
    begin = stream.tell()
    end = begin
    for _, _, position in pickletools.genops(stream):
        end = position
    data = stream.getvalue()[begin : end + 1]
    refused = sorted(f"{module}.{name}" for module, name in set(pickle_globals(data)) if not _allowed(module, name))
    if refused:
        raise UnsafeCheckpointError(
            f"checkpoint {path}: loading it would execute {', '.join(refused)}; expected tensors and plain values"
        )
