"""Networks without their framework: a model file run by ONNX Runtime or by OpenVINO."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from orplugins.deploy.metadata import KEY

Arrays = dict[str, np.ndarray]


class Engine(ABC):
    """A network as a function of arrays.

    Attributes:
        path: The model file.
        metadata: Text of its metadata, None where it has none.
        inputs: name -> shape; None where a side may be anything.
    """

    path: str
    metadata: str | None
    inputs: dict[str, tuple[int | None, ...]]

    @abstractmethod
    def run(self, feeds: Mapping[str, np.ndarray]) -> Arrays:
        """All outputs by name.

        Args:
            feeds: An array for every input.
        """

    @abstractmethod
    def part(self, inputs: Sequence[str], outputs: Sequence[str]) -> Callable[[Mapping[str, np.ndarray]], Arrays]:
        """A function of some inputs that gives the outputs which depend on those only.

        Args:
            inputs: Names.
            outputs: Names.
        """


class OnnxRuntime(Engine):
    """A model run by ONNX Runtime on the CPU.

    Args:
        path: An ONNX file.
        threads: Of one run.

    Raises:
        ValueError: ONNX Runtime does not take the file: no ONNX, damaged, or of an opset that it does not know.
    """

    def __init__(self, path: str | os.PathLike, threads: int = 1):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self.path = str(path)
        try:
            self._session = onnxruntime.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its own classes, which derive from Exception
            raise ValueError(f"{path}: ONNX Runtime does not take it: {one_line(error)}") from None
        self.metadata = self._session.get_modelmeta().custom_metadata_map.get(KEY)
        self.inputs = {
            each.name: tuple(side if isinstance(side, int) else None for side in each.shape)
            for each in self._session.get_inputs()
        }
        self._outputs = [each.name for each in self._session.get_outputs()]

    def run(self, feeds: Mapping[str, np.ndarray]) -> Arrays:
        """All outputs by name."""
        return dict(zip(self._outputs, self._session.run(self._outputs, dict(feeds)), strict=True))

    def part(self, inputs: Sequence[str], outputs: Sequence[str]) -> Callable[[Mapping[str, np.ndarray]], Arrays]:
        """Some outputs; the other inputs are fed with nothing, which costs nothing."""
        others = {
            name: np.zeros([0 if k == 0 else side or 2 for k, side in enumerate(shape)], dtype=np.float32)
            for name, shape in self.inputs.items()
            if name not in inputs
        }
        names = list(outputs)

        def run(feeds: Mapping[str, np.ndarray]) -> Arrays:
            return dict(zip(names, self._session.run(names, {**others, **feeds}), strict=True))

        return run


class OpenVino(Engine):
    """A model run by OpenVINO on the CPU.

    Args:
        path: An ONNX file, or OpenVINO's ``.xml`` beside its ``.bin``.
        threads: Of one run.

    Raises:
        ValueError: OpenVINO does not take the file.
    """

    def __init__(self, path: str | os.PathLike, threads: int = 1):
        import openvino

        self.path = str(path)
        try:
            model = _read_openvino(self.path)
            # f32: by default it computes in bfloat16 where the processor can, and the tolerances no longer hold.
            self._settings = {
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "INFERENCE_PRECISION_HINT": "f32",
                "PERFORMANCE_HINT": "LATENCY",
            }
            self._graph, self._model = model, openvino.compile_model(model, "CPU", self._settings)
        except Exception as error:  # RuntimeError and its own
            raise ValueError(f"{path}: OpenVINO does not take it: {one_line(error)}") from None
        self.metadata = _openvino_metadata(model)
        self.inputs = {
            port.any_name: tuple(None if side.is_dynamic else side.get_length() for side in port.partial_shape)
            for port in self._model.inputs
        }
        self._run = _request(self._model)

    def run(self, feeds: Mapping[str, np.ndarray]) -> Arrays:
        """All outputs by name."""
        return self._run(feeds)

    def part(self, inputs: Sequence[str], outputs: Sequence[str]) -> Callable[[Mapping[str, np.ndarray]], Arrays]:
        """Some outputs, by a graph of their own: with empty inputs OpenVINO leaves out more than it should."""
        import openvino

        parameters = [self._graph.input(name).get_node() for name in inputs]
        results = [self._graph.output(name) for name in outputs]
        part = openvino.Model([result.get_node() for result in results], parameters, "part")
        return _request(openvino.compile_model(part, "CPU", self._settings))


def _request(model) -> Callable[[Mapping[str, np.ndarray]], Arrays]:
    names, request = [port.any_name for port in model.outputs], model.create_infer_request()

    def run(feeds: Mapping[str, np.ndarray]) -> Arrays:
        found = request.infer(dict(feeds))
        return {name: np.array(found[k]) for k, name in enumerate(names)}  # copies: it uses its memory again

    return run


def _read_openvino(path: str):
    """A model as OpenVINO has it: an ONNX file is read as one, not as whatever its bytes may be."""
    import openvino
    from openvino.frontend import FrontEndManager

    if not path.endswith(".onnx"):
        return openvino.Core().read_model(path)
    reader = FrontEndManager().load_by_framework("onnx")
    return reader.convert(reader.load(path))


def _openvino_metadata(model) -> str | None:
    for place in (["framework", KEY], [KEY]):
        if model.has_rt_info(place):
            return str(model.get_rt_info(place).astype(str))
    return None


ENGINES = {"onnxruntime": OnnxRuntime, "openvino": OpenVino}


def open_engine(path: str | os.PathLike, engine: str = "onnxruntime", threads: int = 1) -> Engine:
    """Open a model file.

    Args:
        path: An ONNX file, or with OpenVINO also its IR, ``.xml``.
        engine: ``"onnxruntime"`` or ``"openvino"``.
        threads: Of one run.

    Returns:
        The engine.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Another engine, no thread, or a file that it does not take.
        ImportError: The engine is not installed.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine: found {engine!r}, expected one of {', '.join(ENGINES)}")
    if threads < 1:
        raise ValueError(f"threads: found {threads}, expected at least 1")
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file, expected a model that `orplugins export` wrote")
    if Path(path).suffix == ".xml" and engine != "openvino":
        raise ValueError(f"{path}: OpenVINO's form, expected an ONNX file, or engine 'openvino'")
    try:
        return ENGINES[engine](path, threads)
    except ModuleNotFoundError as error:
        if error.name != engine:
            raise
        raise ImportError(f"{engine} is not installed: pip install {engine}") from None


def one_line(error: BaseException) -> str:
    """The text of an error in one line."""
    return " ".join(str(error).split())[:300]
