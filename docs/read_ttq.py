#!/usr/bin/env python3
"""Reads a .ttq file, written from docs/ttq-format.md alone; only the standard library. Usage: read_ttq.py FILE [MODEL.onnx]

Prints the metadata and the tensors. With a second argument (and the `onnx` package) it also writes the network as plain ONNX.
"""
import hashlib
import struct
import sys
import zlib

MAGIC = b'\x89TTQ\r\n\x1a\n'
BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16,
        17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2}
FLOAT_FORMAT = {1: '<f', 10: '<e', 11: '<d'}


def need(condition, message):
    if not condition:
        raise SystemExit(f'not a valid .ttq file: {message}')


def align(position):
    return (position + 63) // 64 * 64


def read_ttq(file):
    need(file[:8] == MAGIC and len(file) >= 96, 'magic')
    version, flags, length, pairs, count, directory, graph, inflated, data = struct.unpack_from('<IIQIIQQQQ', file, 8)
    need(version == 1, f'version {version}, expected 1')
    need(flags == 0, f'flags {flags:#x}, expected none')
    need(length == len(file), f'{len(file)} bytes, expected {length}')
    need(hashlib.sha256(file[:-32]).digest() == file[-32:], 'SHA-256')
    need(directory <= 2**26 and inflated <= min(2**28, 1032 * graph) and data % 64 == 0, 'lengths')
    graph_at = align(64 + directory)
    data_at = align(graph_at + graph)
    need(data_at + data + 32 == length, 'sections do not fill the file')
    need(not any(file[64 + directory:graph_at]) and not any(file[graph_at + graph:data_at]), 'padding')

    metadata, tensors = read_directory(file[64:64 + directory], pairs, count)
    position = 0
    for tensor in tensors:
        need(tensor['offset'] == position and position + tensor['length'] <= data, f'range of {tensor["name"]}')
        end = data_at + position + tensor['length']
        position = align(position + tensor['length'])
        tensor['bytes'] = file[data_at + tensor['offset']:end]
        need(not any(file[end:data_at + position]), f'padding behind {tensor["name"]}')
        decode(tensor)
    need(position == data, 'tensors do not fill the data section')

    stream = zlib.decompressobj(-15)
    model = stream.decompress(file[graph_at:graph_at + graph], inflated + 1)
    need(len(model) == inflated and stream.eof, 'inflated length')
    return metadata, tensors, model


def read_directory(directory, pairs, count):
    at = 0

    def take(size):
        nonlocal at
        need(at + size <= len(directory), 'directory is too short')
        at += size
        return directory[at - size:at]

    def text():
        return take(struct.unpack('<I', take(4))[0])

    keys, metadata, tensors = [], {}, []
    for _ in range(pairs):
        keys.append(text())
        metadata[keys[-1].decode()] = text().decode()
    need(all(a < b for a, b in zip(keys, keys[1:])), 'metadata keys do not ascend')
    for _ in range(count):
        name, kind, encoding, rank, parameters, offset, length = struct.unpack('<IBBBBQQ', take(24))
        need(kind in BITS and rank <= 32, 'element type or rank')
        dims = struct.unpack(f'<{rank}I', take(4 * rank))
        tensors.append({'type': kind, 'encoding': encoding, 'dims': dims, 'offset': offset, 'length': length,
                        'parameters': take(parameters), 'name': take(name).decode()})
    need(at == len(directory), 'bytes behind the table')
    need(len({tensor['name'] for tensor in tensors}) == count, 'a name twice')
    return metadata, tensors


def decode(tensor):
    """Sets tensor['raw'] to the bytes of ONNX raw_data."""
    name, kind = tensor['name'], tensor['type']
    elements = 1
    for dim in tensor['dims']:
        elements *= dim
    need(elements < 2**53, f'shape of {name}')
    if tensor['encoding'] == 0:
        need(not tensor['parameters'] and tensor['length'] == (elements * BITS[kind] + 7) // 8, f'length of {name}')
        tensor['raw'] = tensor['bytes']
        return
    if tensor['encoding'] == 2:
        decode_float16(tensor, elements)
    elif tensor['encoding'] == 3:
        decode_int8(tensor, elements)
    else:
        need(tensor['encoding'] == 1, f'encoding {tensor["encoding"]} of {name} is not known')
        decode_ternary2(tensor, elements)


def decode_float16(tensor, elements):
    name, kind = tensor['name'], tensor['type']
    need(kind in (1, 11) and not tensor['parameters'] and tensor['length'] == 2 * elements, f'float16 of {name}')
    values = struct.unpack(f'<{elements}e', tensor['bytes'])
    need(all(abs(value) < float('inf') for value in values), f'a value of {name} is not finite')
    tensor['raw'] = struct.pack(f'<{elements}{FLOAT_FORMAT[kind][1]}', *values)


def decode_int8(tensor, elements):
    name, kind, dims = tensor['name'], tensor['type'], tensor['dims']
    need(kind in FLOAT_FORMAT and len(tensor['parameters']) == 1 and tensor['parameters'][0] < len(dims), f'int8 of {name}')
    axis = tensor['parameters'][0]
    channels = dims[axis]
    need(tensor['length'] == 4 * channels + elements, f'length of {name}')
    scales = struct.unpack_from(f'<{channels}f', tensor['bytes'])
    codes = struct.unpack_from(f'<{elements}b', tensor['bytes'], 4 * channels)
    need(-128 not in codes, f'unused code in {name}')
    form = FLOAT_FORMAT[kind]
    for scale in scales:
        try:
            # Both overflow and infinity: struct refuses numbers too large for the type, but packs infinity.
            need(scale > 0 and struct.unpack(form, struct.pack(form, 127 * scale))[0] < float('inf'), f'scales of {name}')
        except OverflowError:
            need(False, f'scales of {name}')
    inner = 1
    for dim in dims[axis + 1:]:
        inner *= dim
    # Python's numbers are doubles, which hold the product exactly; struct rounds it once, to nearest, ties to even.
    values = [code * scales[i // inner % channels] for i, code in enumerate(codes)]
    tensor['raw'] = struct.pack(f'<{elements}{form[1]}', *values)
    tensor['scales'] = scales


def decode_ternary2(tensor, elements):
    name, kind = tensor['name'], tensor['type']
    need(kind in FLOAT_FORMAT and len(tensor['parameters']) == 8 and tensor['length'] == (elements + 3) // 4, f'ternary2 of {name}')
    wp, wn = struct.unpack('<ff', tensor['parameters'])
    need(0 < wp < float('inf') and 0 < wn < float('inf'), f'scales of {name}')
    form = FLOAT_FORMAT[kind]
    values = [struct.pack(form, 0.0), struct.pack(form, wp), None, struct.pack(form, -wn)]
    need(struct.unpack(form, values[1]) == (wp,) and struct.unpack(form, values[3]) == (-wn,), f'scales of {name} are not exact')
    table = []
    for byte in range(256):
        codes = [byte >> shift & 3 for shift in (0, 2, 4, 6)]
        table.append(None if 2 in codes else b''.join(values[code] for code in codes))
    groups = [table[byte] for byte in tensor['bytes']]
    need(None not in groups, f'unused code in {name}')
    need(elements % 4 == 0 or tensor['bytes'][-1] >> 2 * (elements % 4) == 0, f'padding bits of {name}')
    tensor['raw'] = b''.join(groups)[:elements * struct.calcsize(form)]
    tensor['wp'], tensor['wn'] = wp, wn


def write_onnx(model_bytes, tensors, path):
    import onnx
    model = onnx.load_from_string(model_bytes)
    places = {initializer.name: initializer for initializer in model.graph.initializer}
    for tensor in tensors:
        place = places.get(tensor['name'])
        need(place is not None and place.data_type == tensor['type'] and list(place.dims) == [0], f'place of {tensor["name"]}')
        place.dims[:] = tensor['dims']
        place.raw_data = tensor['raw']
        # Up to IR version 3 initializers are graph inputs too, with their shapes.
        for graph_input in model.graph.input:
            if graph_input.name == tensor['name']:
                graph_input.CopyFrom(onnx.helper.make_tensor_value_info(tensor['name'], tensor['type'], tensor['dims']))
    onnx.save(model, path)


if __name__ == '__main__':
    with open(sys.argv[1], 'rb') as opened:
        meta, table, graph_bytes = read_ttq(opened.read())
    for key, value in meta.items():
        print(f'{key}: {value}')
    for row in table:
        scales = f' wp {row["wp"]:.6g} wn {row["wn"]:.6g}' if 'wp' in row else f' axis {row["parameters"][0]}' if 'scales' in row else ''
        print(f'{row["name"]} {list(row["dims"])} type {row["type"]} encoding {row["encoding"]} {row["length"]} bytes{scales}')
    if len(sys.argv) > 2:
        write_onnx(graph_bytes, table, sys.argv[2])
