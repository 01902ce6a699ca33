"""Reads .ttq files: networks whose weights are ternary, packed by the command-line program ttq.

    import ttq
    model = ttq.load('net.ttq')              # an onnx.ModelProto; needs the package onnx
    weights = ttq.state_dict('net.ttq')      # {name: numpy array}
    packed = ttq.read('net.ttq')             # metadata, codes and scales
"""
from dataclasses import dataclass
from os import PathLike

import numpy as np

from .read_graph import STRING, read_graph
from .read_ttq import NotValid, need, read_ttq

__all__ = ['Constant', 'NotValid', 'PackedFile', 'PackedTensor', 'load', 'read', 'state_dict']

# ONNX's element types that NumPy has, by number (TensorProto.DataType).
DTYPES = {1: '<f4', 2: 'u1', 3: 'i1', 4: '<u2', 5: '<i2', 6: '<i4', 7: '<i8', 9: '?', 10: '<f2', 11: '<f8', 12: '<u4',
          13: '<u8', 14: '<c8', 15: '<c16'}


@dataclass(frozen=True)
class Constant:
    """One initializer. `type` is its ONNX element type, `raw` ONNX's raw_data; of strings, a list of bytes."""
    name: str
    dims: tuple
    type: int
    raw: bytes

    @property
    def values(self):
        """As the network computes with it, of shape `dims`. Types that NumPy lacks (bfloat16) are a row of bytes."""
        if self.type == STRING:
            row = np.array([*self.raw, None], object)[:-1]
        elif self.type in DTYPES:
            row = np.frombuffer(self.raw, DTYPES[self.type])
        else:
            return np.frombuffer(self.raw, np.uint8)
        try:
            return row.reshape(self.dims)
        except ValueError as error:  # nothing in it, and other dimensions beyond what NumPy counts
            raise NotValid(f'not a valid .ttq file: shape of {self.name}: {error}') from error


@dataclass(frozen=True)
class PackedTensor(Constant):
    """One of the table's: `encoding` is how the file stores it (docs/ttq-format.md), in `stored_bytes`."""
    encoding: int
    stored_bytes: int
    wp: float | None = None
    wn: float | None = None

    @property
    def codes(self):
        """int8 array of -1, 0 and 1 of shape `dims`; None where the tensor is not ternary."""
        return None if self.wp is None else np.sign(self.values).astype(np.int8)


@dataclass(frozen=True)
class PackedFile:
    """A whole file. `graph` is the ONNX model (bytes) in which the table's initializers are empty: their values are in
    `tensors`. `initializers` are all of the network's in its order, also those that stand in the graph. Both by name.
    """
    metadata: dict
    tensors: dict
    graph: bytes
    initializers: dict

    def to_onnx(self):
        """The network as an onnx.ModelProto, bit for bit what `ttq unpack` writes. Needs the package onnx."""
        import onnx
        from google.protobuf.message import DecodeError
        try:
            model = onnx.load_from_string(self.graph)
            places = {initializer.name: initializer for initializer in model.graph.initializer}
            inputs = {given.name: given for given in model.graph.input}
        except (DecodeError, UnicodeDecodeError) as error:
            raise NotValid(f'not a valid .ttq file: the graph is no ONNX model ({error})') from error
        for name, tensor in self.tensors.items():
            place = places[name]
            place.dims[:] = tensor.dims
            place.raw_data = tensor.raw
            # Up to IR version 3 initializers are graph inputs too, with their shapes.
            if name in inputs:
                inputs[name].CopyFrom(onnx.helper.make_tensor_value_info(name, tensor.type, tensor.dims))
        return model


def read(source: 'str | PathLike | bytes') -> PackedFile:
    """The file at a path, or its bytes, verified by its SHA-256. Raises NotValid, OSError."""
    if not isinstance(source, (bytes, bytearray, memoryview)):
        with open(source, 'rb') as opened:
            source = opened.read()
    metadata, table, graph = read_ttq(bytes(source))
    tensors = {
        row['name']: PackedTensor(row['name'], tuple(row['dims']), row['type'], row['raw'], row['encoding'],
                                  row['length'], row.get('wp'), row.get('wn'))
        for row in table
    }
    return PackedFile(metadata, tensors, bytes(graph), in_their_places(tensors, read_graph(graph)))


def in_their_places(tensors, constants):
    """The graph's initializers, the table's instead of the empty ones."""
    places = {place['name']: place for place in constants}
    for name, tensor in tensors.items():
        place = places.get(name)
        fits = place is not None and place['type'] == tensor.type and place['dims'] == (0,)
        need(fits, f'the graph has no place for {name}')
    need([name for name in places if name in tensors] == list(tensors), 'the graph has the tensors in another order')
    return {name: tensors[name] if name in tensors else Constant(**place) for name, place in places.items()}


def load(source: 'str | PathLike | bytes'):
    """The network as an onnx.ModelProto. Raises NotValid, OSError, ImportError without onnx."""
    return read(source).to_onnx()


def state_dict(source: 'str | PathLike | bytes') -> dict:
    """Values by initializer name, as NumPy arrays (read-only views). Raises NotValid, OSError."""
    return {name: constant.values for name, constant in read(source).initializers.items()}
