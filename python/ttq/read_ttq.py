"""Reads a .ttq file: written from docs/ttq-format.md alone, with nothing but the standard library."""
import hashlib
import itertools
import struct
import zlib


class NotValid(ValueError):
    """The bytes are no .ttq file, or a damaged one; the message says what is wrong."""


MAGIC = b'\x89TTQ\r\n\x1a\n'
BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16,
        17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2}
FLOAT_FORMAT = {1: '<f', 10: '<e', 11: '<d'}


def need(condition, message):
    if not condition:
        raise NotValid(f'not a valid .ttq file: {message}')


def utf8(text, what):
    try:
        return str(text, 'utf-8')
    except UnicodeDecodeError:
        raise NotValid(f'not a valid .ttq file: {what} is not UTF-8') from None


def align(position):
    return (position + 63) // 64 * 64


def read_ttq(file):
    """Metadata (dict of str), tensors and the ONNX model whose initializers are left empty (bytes).

    A tensor is a dict: `name`, `type` (of ONNX), `dims`, `encoding`, `length` (bytes in the file), `raw` (the bytes of ONNX's
    raw_data); a ternary one also has `wp` and `wn`, an int8 one `scales`. Raises NotValid.
    """
    need(file[:8] == MAGIC and len(file) >= 96, 'magic')
    version, flags, length, pairs, count = struct.unpack_from('<IIQII', file, 8)
    need(version in (1, 2), f'version {version}, expected 1 or 2')
    need(flags == 0, f'flags {flags:#x}, expected none')
    need(length == len(file), f'{len(file)} bytes, expected {length}')
    need(hashlib.sha256(file[:-32]).digest() == file[-32:], 'SHA-256')
    return (read_version_1 if version == 1 else read_version_2)(file, pairs, count)


def read_version_1(file, pairs, count):
    directory, graph, inflated, data = struct.unpack_from('<QQQQ', file, 32)
    need(directory <= 2**26 and inflated <= min(2**28, 1032 * graph) and data % 64 == 0, 'lengths')
    graph_at = align(64 + directory)
    data_at = align(graph_at + graph)
    need(data_at + data + 32 == len(file), 'sections do not fill the file')
    need(not any(file[64 + directory:graph_at]) and not any(file[graph_at + graph:data_at]), 'padding')

    metadata, models, tensors = read_directory(file[64:64 + directory], pairs, count, 1)
    position = 0
    for tensor in tensors:
        need(tensor['offset'] == position and position + tensor['length'] <= data, f'range of {tensor["name"]}')
        end = data_at + position + tensor['length']
        position = align(position + tensor['length'])
        tensor['bytes'] = file[data_at + tensor['offset']:end]
        need(not any(file[end:data_at + position]), f'padding behind {tensor["name"]}')
        decode(tensor, models)
    need(position == data, 'tensors do not fill the data section')
    return metadata, tensors, inflate(file[graph_at:graph_at + graph], inflated, 'graph')


def read_version_2(file, pairs, count):
    directory, inflated_directory, graph, inflated_graph, pool, inflated_pool, data = struct.unpack_from('<6IQ', file, 32)
    need(inflated_directory <= 2**26 and inflated_graph <= 2**28 and inflated_pool <= 2**28, 'lengths')
    graph_at = 64 + directory
    pool_at = graph_at + graph
    data_at = pool_at + pool
    need(data_at + data + 32 == len(file), 'sections do not fill the file')
    plain = inflate(file[64:graph_at], inflated_directory, 'directory')
    metadata, models, tensors = read_directory(plain, pairs, count, 2)
    need(inflated_pool <= 1032 * pool, 'inflated length of the pool')

    memory = sum(elements_of(tensor) * (2 + BITS[tensor['type']] / 8) for tensor in tensors)
    need(memory <= 64 * len(file), 'tensors take more than 64 times the file')
    at = data_at
    for tensor in tensors:
        if tensor['place'] in (1, 2, 4, 8, 16):
            continue
        need(tensor['place'] in (0, 128), f'place of {tensor["name"]}')
        start = align(at) if tensor['place'] == 0 else at
        need(start + tensor['length'] <= data_at + data, f'range of {tensor["name"]}')
        need(not any(file[at:start]), f'padding before {tensor["name"]}')
        at = start + tensor['length']
        tensor['bytes'] = file[start:at]
    need(data == max(at - data_at, -int(-memory // 64) - data_at - 32), 'length of the data section')
    need(not any(file[at:data_at + data]), 'padding behind the tensors')

    need(sum(t['length'] for t in tensors if t['place'] not in (0, 128)) == inflated_pool, 'tensors do not fill the pool')
    planes = []
    for width in (16, 8, 4, 2, 1):
        pooled = [tensor for tensor in tensors if tensor['place'] == width]
        for tensor in pooled:
            need(tensor['length'] % width == 0, f'length of {tensor["name"]}')
            tensor['bytes'] = bytearray(tensor['length'])
        if any(tensor['length'] for tensor in pooled):
            planes += [(pooled, width, byte) for byte in reversed(range(width))]
    need(4 * len(planes) <= pool, 'pool is too short')
    at = pool_at + 4 * len(planes)
    for (pooled, width, byte), stored in zip(planes, struct.unpack_from(f'<{len(planes)}I', file, pool_at)):
        need(at + stored <= data_at, 'pool is too short')
        plane = memoryview(inflate(file[at:at + stored], sum(tensor['length'] for tensor in pooled) // width, 'pool'))
        at += stored
        for tensor in pooled:
            tensor['bytes'][byte::width], plane = plane[:tensor['length'] // width], plane[tensor['length'] // width:]
    need(at == data_at, 'bytes behind the planes')
    for tensor in tensors:
        decode(tensor, models)
    return metadata, tensors, inflate(file[graph_at:pool_at], inflated_graph, 'graph')


def inflate(stored, length, what):
    need(length <= 1032 * len(stored), f'inflated length of the {what}')
    stream = zlib.decompressobj(-15)
    try:
        plain = stream.decompress(stored, length + 1)
    except zlib.error as error:
        raise NotValid(f'not a valid .ttq file: the {what} is not a deflate stream ({error})') from error
    need(len(plain) == length and stream.eof and not stream.unused_data, f'inflated length of the {what}')
    return plain


def read_directory(directory, pairs, count, version):
    at = 0

    def take(size):
        nonlocal at
        need(at + size <= len(directory), 'directory is too short')
        at += size
        return directory[at - size:at]

    def text():
        return take(struct.unpack('<I', take(4))[0])

    keys, metadata, models, tensors = [], {}, [], []
    for _ in range(pairs):
        keys.append(text())
        key = utf8(keys[-1], f'metadata key {len(keys) - 1}')
        metadata[key] = utf8(text(), f'metadata {key}')
    need(all(a < b for a, b in zip(keys, keys[1:])), 'metadata keys do not ascend')
    if version == 2:
        models = [take(112) for _ in range(struct.unpack('<H', take(2))[0])]
        need(all(0 not in model[:96] for model in models), 'a probability of 0')
    for number in range(count):
        name, kind, encoding, rank, parameters = struct.unpack('<IBBBB', take(8))
        offset, place = (struct.unpack('<Q', take(8))[0], None) if version == 1 else (None, take(1)[0])
        length = struct.unpack('<Q', take(8))[0]
        need(kind in BITS and rank <= 32, 'element type or rank')
        dims = struct.unpack(f'<{rank}I', take(4 * rank))
        tensors.append({'type': kind, 'encoding': encoding, 'dims': dims, 'offset': offset, 'place': place,
                        'length': length, 'parameters': take(parameters),
                        'name': utf8(take(name), f'name of tensor {number}')})
    need(at == len(directory), 'bytes behind the table')
    need(len({tensor['name'] for tensor in tensors}) == count, 'a name twice')
    return metadata, models, tensors


def elements_of(tensor):
    elements = 1
    for dim in tensor['dims']:
        elements *= dim
    need(elements < 2**53, f'shape of {tensor["name"]}')
    return elements


def decode(tensor, models):
    """Sets tensor['raw'] to the bytes of ONNX raw_data."""
    name, kind = tensor['name'], tensor['type']
    elements = elements_of(tensor)
    if tensor['encoding'] == 0:
        need(not tensor['parameters'] and tensor['length'] == (elements * BITS[kind] + 7) // 8, f'length of {name}')
        tensor['raw'] = bytes(tensor['bytes'])
        return
    if tensor['encoding'] == 2:
        decode_float16(tensor, elements)
    elif tensor['encoding'] == 3:
        decode_int8(tensor, elements)
    elif tensor['encoding'] == 4:
        decode_base3(tensor, elements)
    elif tensor['encoding'] == 5 and tensor['place'] is not None:
        decode_entropy(tensor, elements, models)
    else:
        need(tensor['encoding'] == 1, f'encoding {tensor["encoding"]} of {name} is not known')
        decode_ternary2(tensor, elements)


def decode_float16(tensor, elements):
    name, kind = tensor['name'], tensor['type']
    need(kind in (1, 11) and not tensor['parameters'] and tensor['length'] == 2 * elements, f'float16 of {name}')
    need(all(abs(value) < float('inf') for value, in struct.iter_unpack('<e', tensor['bytes'])),
         f'a value of {name} is not finite')
    tensor['raw'] = packed(kind, (value for value, in struct.iter_unpack('<e', tensor['bytes'])))


def packed(kind, values):
    """The bytes of numbers in an element type, piece by piece: as Python's own they take 32 bytes each."""
    values, pieces = iter(values), []
    while piece := tuple(itertools.islice(values, 4096)):
        pieces.append(struct.pack(f'<{len(piece)}{FLOAT_FORMAT[kind][1]}', *piece))
    return b''.join(pieces)


def decode_int8(tensor, elements):
    name, kind, dims = tensor['name'], tensor['type'], tensor['dims']
    need(kind in FLOAT_FORMAT and len(tensor['parameters']) == 1 and tensor['parameters'][0] < len(dims), f'int8 of {name}')
    axis = tensor['parameters'][0]
    channels = dims[axis]
    need(tensor['length'] == 4 * channels + elements, f'length of {name}')
    scales = struct.unpack_from(f'<{channels}f', tensor['bytes'])
    codes = memoryview(tensor['bytes'])[4 * channels:].cast('b')
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
    tensor['raw'] = packed(kind, (code * scales[i // inner % channels] for i, code in enumerate(codes)))
    tensor['scales'] = scales


def ternary_values(tensor, parameters):
    """The bytes of the elements of codes 00, 01, (none,) 11."""
    name, kind = tensor['name'], tensor['type']
    need(kind in FLOAT_FORMAT and len(tensor['parameters']) == parameters, f'type or parameters of {name}')
    wp, wn = struct.unpack_from('<ff', tensor['parameters'])
    need(0 < wp < float('inf') and 0 < wn < float('inf'), f'scales of {name}')
    need(kind != 10 or max(wp, wn) <= 65504, f'scales of {name} are not exact')
    form = FLOAT_FORMAT[kind]
    values = [struct.pack(form, 0.0), struct.pack(form, wp), None, struct.pack(form, -wn)]
    need(struct.unpack(form, values[1]) == (wp,) and struct.unpack(form, values[3]) == (-wn,), f'scales of {name} are not exact')
    tensor['wp'], tensor['wn'] = wp, wn
    return values


def decode_ternary2(tensor, elements):
    name = tensor['name']
    need(tensor['length'] == (elements + 3) // 4, f'ternary2 of {name}')
    values = ternary_values(tensor, 8)
    table = []
    for byte in range(256):
        codes = [byte >> shift & 3 for shift in (0, 2, 4, 6)]
        table.append(None if 2 in codes else b''.join(values[code] for code in codes))
    groups = [table[byte] for byte in tensor['bytes']]
    need(None not in groups, f'unused code in {name}')
    need(elements % 4 == 0 or tensor['bytes'][-1] >> 2 * (elements % 4) == 0, f'padding bits of {name}')
    tensor['raw'] = b''.join(groups)[:elements * len(values[0])]


def decode_base3(tensor, elements):
    name = tensor['name']
    need(tensor['length'] == (elements + 4) // 5, f'base3 of {name}')
    values = ternary_values(tensor, 8)
    need(max(tensor['bytes'], default=0) <= 242, f'digits of {name}')
    need(elements % 5 == 0 or tensor['bytes'][-1] // 3**(elements % 5) == 0, f'digits of {name}')
    table = [b''.join(values[(0, 1, 3)[byte // power % 3]] for power in (1, 3, 9, 27, 81)) for byte in range(243)]
    tensor['raw'] = b''.join(table[byte] for byte in tensor['bytes'])[:elements * len(values[0])]


def decode_entropy(tensor, elements, models):
    name, dims, stream = tensor['name'], tensor['dims'], tensor['bytes']
    values = ternary_values(tensor, 10)
    number = struct.unpack_from('<H', tensor['parameters'], 8)[0]
    need(number < len(models), f'model of {name}')
    if elements == 0:
        need(not stream, f'length of {name}')
        tensor['raw'] = b''
        return
    rows, columns = (1, elements) if len(dims) < 2 else dims[:2]
    height = dims[2] if len(dims) > 2 else 1
    width = elements // (rows * columns * height)
    lanes = 8 if elements >= 65536 and rows >= 8 else 1
    need(len(stream) >= 4 * lanes and len(stream) % 2 == 0, f'length of {name}')
    states = list(struct.unpack_from(f'<{lanes}I', stream))
    need(all(2**15 <= state < 2**31 for state in states), f'states of {name}')
    zeros, signs = models[number][:96], models[number][96:]
    intervals = []
    for context in range(96):
        z = 16 * zeros[context]
        p = 1 + (4094 - z) * signs[context % 16] // 256
        intervals.append((z, z + p))

    codes = bytearray(elements)
    kernel = height * width
    seen = [0] * columns
    at_word, row = 4 * lanes, 0
    while row < rows:
        group = lanes if rows - row >= lanes else 1
        busy = [0] * columns
        if row * kernel >= 16:
            total = sum(seen)
            for column, count in enumerate(seen):
                busy[column] = 1 + sum(20 * columns * count >= bound * total for bound in (12, 17, 23, 27))
        for column in range(columns):
            for at in range(kernel):
                for lane in range(group):
                    i = ((row + lane) * columns + column) * kernel + at
                    if kernel == 1:
                        left = codes[i - 1] if column >= 1 else 2
                        above = codes[i - 2] if column >= 2 else 2
                    else:
                        left = codes[i - 1] if at % width else 2
                        above = codes[i - width] if at >= width else 2
                    second, third = intervals[16 * busy[column] + 4 * left + above]
                    state = states[lane]
                    slot = state % 4096
                    if slot < second:
                        code, start, size = 0, 0, second
                    elif slot < third:
                        code, start, size = 1, second, third - second
                    else:
                        code, start, size = 3, third, 4096 - third
                    state = size * (state // 4096) + slot - start
                    if state < 2**15:
                        need(at_word < len(stream), f'{name} has fewer words than weights need')
                        state = 2**16 * state + stream[at_word] + 256 * stream[at_word + 1]
                        at_word += 2
                    states[lane] = state
                    codes[i] = code
        for lane in range(group):
            for column in range(columns):
                start = ((row + lane) * columns + column) * kernel
                seen[column] += sum(code != 0 for code in codes[start:start + kernel])
        row += group
    need(at_word == len(stream) and all(state == 2**15 for state in states), f'end of {name}')
    tensor['raw'] = b''.join(values[code] for code in codes)
