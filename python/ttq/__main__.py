"""python -m ttq FILE.ttq [MODEL.onnx]: lists metadata and tensors; with a second path writes the network as plain ONNX."""
import sys

from . import NotValid, read


def storage(tensor):
    if tensor is None:
        return 'in the graph'
    scales = '' if tensor.wp is None else f' wp {tensor.wp:.6g} wn {tensor.wn:.6g}'
    return f'encoding {tensor.encoding} {tensor.stored_bytes} bytes{scales}'


def main(arguments):
    if len(arguments) not in (1, 2) or arguments[0].startswith('-'):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        packed = read(arguments[0])
        for key, value in packed.metadata.items():
            print(f'{key}: {value}')
        for name, constant in packed.initializers.items():
            shape = 'x'.join(map(str, constant.dims)) or 'scalar'
            print(f'{name} {shape} type {constant.type} {storage(packed.tensors.get(name))}')
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
