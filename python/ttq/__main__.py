"""python -m ttq FILE.ttq [MODEL.onnx]: lists metadata and tensors; with a second path writes the network as plain ONNX."""
import sys

from . import NotValid, read


def main(arguments):
    if len(arguments) not in (1, 2) or arguments[0].startswith('-'):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        packed = read(arguments[0])
        for key, value in packed.metadata.items():
            print(f'{key}: {value}')
        for tensor in packed.tensors.values():
            scales = '' if tensor.wp is None else f' wp {tensor.wp:.6g} wn {tensor.wn:.6g}'
            shape = 'x'.join(map(str, tensor.dims)) or 'scalar'
            print(f'{tensor.name} {shape} type {tensor.type} encoding {tensor.encoding} {tensor.stored_bytes} bytes{scales}')
        if len(arguments) == 2:
            with open(arguments[1], 'xb') as opened:
                opened.write(packed.to_onnx().SerializeToString())
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except (NotValid, OSError, ImportError) as error:
        print(f'ttq: {arguments[0]}: {error}', file=sys.stderr)
        return 1
    return 0


sys.exit(main(sys.argv[1:]))
