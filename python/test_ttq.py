"""Files that lie in the repository, of every version and encoding: the same bytes that the program reads."""
import hashlib
import json
import struct
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import numpy as np  # noqa: E402

import ttq  # noqa: E402

FILES = sorted((HERE.parent / 'fixtures' / 'packed').glob('*.ttq'))
NETWORK = next(path for path in FILES if path.name == 'version-2-whole-network.ttq')


def field(number, content):
    """A protobuf field with a length below 128."""
    return bytes([8 * number + 2, len(content)]) + content


def tensor(name, kind, dim, values=b''):
    return bytes([8, dim, 16, kind]) + field(8, name) + values


def model_of(*tensors):
    return field(7, b''.join(field(5, each) for each in tensors))


def deflated(plain):
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(plain) + stream.flush()


def packed_file(graph, directory=b'\0\0', pairs=0, tensors=0, data=b'', stored=None):
    """A file of version 2 with a valid digest, whatever its parts are; `stored` instead of the deflated directory."""
    table, model = deflated(directory) if stored is None else stored, deflated(graph)
    length = 96 + len(table) + len(model) + len(data)
    header = struct.pack('<8sIIQII6IQ', b'\x89TTQ\r\n\x1a\n', 2, 0, length, pairs, tensors,
                         len(table), len(directory), len(model), len(graph), 0, 0, len(data))
    whole = header + table + model + data
    return whole + hashlib.sha256(whole).digest()


class Reading(unittest.TestCase):
    def test_every_file_gives_the_bytes_on_record(self):
        self.assertGreaterEqual(len(FILES), 6)
        for path in FILES:
            with self.subTest(path.name):
                expected = json.loads(path.with_suffix('.json').read_text())
                found = [[t.name, t.encoding, hashlib.sha256(t.raw).hexdigest()] for t in ttq.read(path).tensors.values()]
                self.assertEqual(found, expected)

    def test_codes_and_scales_make_the_values(self):
        for path in FILES:
            ternary = [t for t in ttq.read(path.read_bytes()).tensors.values() if t.wp is not None]
            self.assertTrue(ternary)
            for tensor in ternary:
                codes = tensor.codes
                values = np.where(codes > 0, tensor.wp, np.where(codes < 0, -tensor.wn, 0))
                self.assertEqual(codes.shape, tensor.dims)
                np.testing.assert_array_equal(values.astype(tensor.values.dtype), tensor.values)

    def test_a_state_dict_has_every_tensor_of_the_graph_too(self):
        state = ttq.state_dict(NETWORK)
        self.assertEqual({name: value.shape for name, value in state.items()}, {
            '0': (6, 1, 5, 5), '1': (6,), '2': (16, 6, 5, 5), '3': (120, 400), '4': (84, 120), '5': (10, 84),
            '6': (16, 1, 1), '7': (16, 1, 1), '8': (120,), '9': (120,), 'a': (84,), 'b': (84,), 'c': (10,)})
        self.assertEqual([name for name in state if name not in ttq.read(NETWORK).tensors], ['1', 'c'])
        self.assertEqual(state['1'].tobytes().hex(), 'f9a842bf2f903ebfcac938be3d9352bfe8b6dcbe7b36c3bd')

    def test_constants_of_the_graph_have_their_values_in_any_field(self):
        def varints(*numbers):
            return b''.join(bytes([n >> s & 127 | 128 for s in range(0, 63, 7)]) + bytes([n >> 63]) for n in numbers)

        for kind, values, dtype, expected in (
            (1, field(9, struct.pack('<2f', 1.5, -2)), 'f4', [1.5, -2]),
            (1, field(4, struct.pack('<2f', 1.5, -2)), 'f4', [1.5, -2]),
            (11, field(10, struct.pack('<2d', 1.5, -2)), 'f8', [1.5, -2]),
            (10, field(5, varints(0x3e00, 0xc000)), 'f2', [1.5, -2]),
            (3, field(5, varints(7, 2**64 - 7)), 'i1', [7, -7]),
            (9, b'\x28\x01\x28\x00', '?', [True, False]),
            (7, field(7, varints(7, 2**64 - 7)), 'i8', [7, -7]),
            (12, field(11, varints(7, 2**32 - 7)), 'u4', [7, 2**32 - 7]),
            (8, field(6, b'a') + field(6, b'\xff'), 'O', [b'a', b'\xff']),
        ):
            with self.subTest(kind=kind):
                state = ttq.state_dict(packed_file(graph=model_of(tensor(b'w', kind, 2, values))))
                self.assertEqual(state['w'].dtype, np.dtype(dtype))
                self.assertEqual(state['w'].tolist(), expected)

    def test_damage_is_refused(self):
        good = FILES[0].read_bytes()
        for damaged in (b'', good[:-1], good[:100], good + b'\0', good[:200] + bytes([good[200] ^ 1]) + good[201:]):
            with self.assertRaises(ttq.NotValid):
                ttq.read(damaged)

    def test_every_fault_behind_a_valid_digest_is_not_valid(self):
        def entry(name=b'w', kind=1, encoding=0, place=128, length=0, dims=(0,), parameters=b''):
            head = struct.pack('<IBBBBBQ', len(name), kind, encoding, len(dims), len(parameters), place, length)
            return b'\0\0' + head + struct.pack(f'<{len(dims)}I', *dims) + parameters + name

        def pair(key, value):
            return struct.pack('<I', len(key)) + key + struct.pack('<I', len(value)) + value + b'\0\0'

        whole = model_of(tensor(b'w', 1, 0))
        half = model_of(tensor(b'w', 10, 0))
        self.assertEqual(list(ttq.state_dict(packed_file(whole, entry(), tensors=1))), ['w'])
        for file, message in (
            (packed_file(whole, entry(), stored=b'\xff' * 30), 'the directory is not a deflate stream'),
            (packed_file(whole, pair(b'\xff', b''), 1), 'metadata key 0 is not UTF-8'),
            (packed_file(whole, pair(b'k', b'\xff'), 1), 'metadata k is not UTF-8'),
            (packed_file(whole, entry(b'\xff'), tensors=1), 'name of tensor 0 is not UTF-8'),
            (packed_file(half, entry(kind=10, encoding=4, parameters=struct.pack('<ff', 1e5, 1)), tensors=1),
             'scales of w are not exact'),
            (packed_file(whole, entry(dims=(0, 2**32 - 1, 2**32 - 1)), tensors=1), 'shape of w: '),
            (packed_file(whole, entry(b'v'), tensors=1), 'the graph has no place for v'),
            (packed_file(half, entry(), tensors=1), 'the graph has no place for w'),
            (packed_file(b'', b'\0\0'), 'the model has no graph'),
            (packed_file(whole[:-1]), 'graph: field beyond its end'),
            (packed_file(b'\x3a' + b'\xff' * 11), 'graph: number of more than 64 bits'),
            (packed_file(b'\x3b'), 'graph: field of wire type 3'),
            (packed_file(b'\x38\0'), 'graph: a number, expected a message'),
            (packed_file(field(7, b'\x28\0')), 'initializer 0 of the graph: a number, expected a message'),
            (packed_file(model_of(tensor(b'\xff', 1, 0))), 'name of initializer 0 of the graph is not UTF-8'),
            (packed_file(model_of(tensor(b'w', 1, 3))), 'values of w in the graph do not fill its shape'),
            (packed_file(model_of(tensor(b'w', 1, 0), tensor(b'w', 1, 0))), 'two initializers of the name w'),
            (packed_file(model_of(tensor(b'w', 1, 0, field(1, bytes(64))))), 'rank of w in the graph'),
        ):
            with self.subTest(message), self.assertRaisesRegex(ttq.NotValid, f'^not a valid .ttq file: .*{message}'):
                ttq.state_dict(file)

    def test_damage_behind_a_valid_digest_is_refused_or_read(self):
        good = min((path.read_bytes() for path in FILES), key=len)
        refused = 0
        for at in range(len(good) - 32):
            damaged = good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1:-32]
            try:
                ttq.state_dict(damaged + hashlib.sha256(damaged).digest())
            except ttq.NotValid:
                refused += 1
        self.assertGreater(refused, 500)

    def test_a_graph_that_is_no_model(self):
        try:
            import onnx  # noqa: F401
        except ImportError:
            self.skipTest('no onnx')
        with self.assertRaisesRegex(ttq.NotValid, 'the graph is no ONNX model'):
            ttq.load(packed_file(model_of(tensor(b'w', 1, 0)) + field(8, b'\xff')))

    def test_what_is_not_there(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(FileNotFoundError):
            ttq.read(Path(folder) / 'none.ttq')

    def test_onnx(self):
        try:
            import onnx
        except ImportError:
            self.skipTest('no onnx')
        model = ttq.load(NETWORK)
        onnx.checker.check_model(model, full_check=True)
        self.assertTrue(all(list(i.dims) != [0] for i in model.graph.initializer))
        state = ttq.state_dict(NETWORK)
        self.assertEqual(list(state), [i.name for i in model.graph.initializer])
        for initializer in model.graph.initializer:
            np.testing.assert_array_equal(state[initializer.name], onnx.numpy_helper.to_array(initializer))


if __name__ == '__main__':
    unittest.main()
