"""Files that lie in the repository, of every version and encoding: the same bytes that the program reads."""
import hashlib
import json
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import numpy as np  # noqa: E402

import ttq  # noqa: E402

FILES = sorted((HERE.parent / 'fixtures' / 'packed').glob('*.ttq'))


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

    def test_a_state_dict_has_every_tensor(self):
        state = ttq.state_dict(FILES[-1])
        self.assertEqual({name: value.shape for name, value in state.items()},
                         {name: tensor.dims for name, tensor in ttq.read(FILES[-1]).tensors.items()})

    def test_damage_is_refused(self):
        good = FILES[0].read_bytes()
        for damaged in (b'', good[:-1], good[:100], good + b'\0', good[:200] + bytes([good[200] ^ 1]) + good[201:]):
            with self.assertRaises(ttq.NotValid):
                ttq.read(damaged)

    def test_what_is_not_there(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(FileNotFoundError):
            ttq.read(Path(folder) / 'none.ttq')

    def test_onnx(self):
        try:
            import onnx
        except ImportError:
            self.skipTest('no onnx')
        model = ttq.load([path for path in FILES if path.name == 'version-2-whole-network.ttq'][0])
        onnx.checker.check_model(model, full_check=True)
        self.assertTrue(all(list(i.dims) != [0] for i in model.graph.initializer))


if __name__ == '__main__':
    unittest.main()
