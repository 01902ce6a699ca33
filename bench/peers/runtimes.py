"""Whether a network that `ttq unpack --as packed` wrote runs, and gives the dense one's outputs, in the runtimes that are installed.

    python3 bench/peers/runtimes.py dense.onnx packed.onnx [dense.onnx packed.onnx ...]

Tried are ONNX Runtime, OpenVINO, OpenCV and tract, each if its Python package is there (onnxruntime, openvino,
opencv-python-headless, tract). A line per runtime and pair: bytes, seconds to load either, and the largest difference of outputs.
"""
import sys
import time

import numpy as np
import onnx


def onnx_runtime(path):
    import onnxruntime
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return lambda feeds: session.run(None, feeds), f'ONNX Runtime {onnxruntime.__version__}'


def openvino(path):
    import openvino as ov
    compiled = ov.Core().compile_model(path, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
    return lambda feeds: list(compiled(feeds).values()), f'OpenVINO {ov.__version__.split("-")[0]}'


def opencv(path):
    import cv2
    net = cv2.dnn.readNetFromONNX(path)

    def run(feeds):
        for name, value in feeds.items():
            net.setInput(value, name)
        return [net.forward()]
    return run, f'OpenCV {cv2.__version__}'


def tract_runtime(path):
    import importlib.metadata

    import tract
    model = tract.onnx().load(path)
    for index in range(model.input_count()):
        model.set_input_fact(index, ','.join(map(str, SHAPES[index])) + ',f32')
    runnable = model.into_model().into_runnable() if hasattr(model, 'into_model') else model.into_optimized().into_runnable()
    return (lambda feeds: [each.to_numpy() for each in runnable.run(list(feeds.values()))],
            f'tract {importlib.metadata.version("tract")}')


SHAPES = []


def inputs_of(path):
    model = onnx.load(path)
    weights = {each.name for each in model.graph.initializer}
    random = np.random.default_rng(1)
    feeds = {}
    for given in model.graph.input:
        if given.name in weights:
            continue
        dims = [each.dim_value if each.dim_value > 0 else 1 for each in given.type.tensor_type.shape.dim]
        feeds[given.name] = random.standard_normal(dims).astype(np.float32)
    onnx.checker.check_model(model, full_check=True)
    return feeds


def main(paths):
    if not paths or len(paths) % 2:
        sys.exit(__doc__)
    for dense, packed in zip(paths[::2], paths[1::2]):
        feeds = inputs_of(dense)
        inputs_of(packed)
        SHAPES[:] = [value.shape for value in feeds.values()]
        for load in (onnx_runtime, openvino, opencv, tract_runtime):
            try:
                outputs, seconds = [], []
                for path in (dense, packed):
                    start = time.perf_counter()
                    run, name = load(path)
                    outputs.append(run(feeds))
                    seconds.append(time.perf_counter() - start)
                apart = max(float(np.abs(a - b).max()) for a, b in zip(*outputs))
                print(f'{packed}: {name}: {"equal bit for bit" if apart == 0 else f"differs by {apart:.2g}"}; '
                      f'dense {seconds[0]:.2f} s, packed {seconds[1]:.2f} s')
            except ImportError:
                continue
            except Exception as error:
                print(f'{packed}: {load.__name__}: {type(error).__name__}: {str(error).strip().splitlines()[0][:150]}')


main(sys.argv[1:])
