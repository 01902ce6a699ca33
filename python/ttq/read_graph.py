"""The initializers in the bytes of an ONNX model, with nothing but the standard library.

Written from onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) and the encoding of protobuf messages
(https://protobuf.dev/programming-guides/encoding/). What else a model holds is not looked at.
"""
import itertools

from .read_ttq import BITS, need, utf8

STRING = 8

# Fields by number: of ModelProto, GraphProto and TensorProto.
GRAPH = 7
INITIALIZER = 5
DIMS, DATA_TYPE, FLOAT_DATA, INT32_DATA, STRING_DATA, INT64_DATA, NAME, RAW_DATA = 1, 2, 4, 5, 6, 7, 8, 9
DOUBLE_DATA, UINT64_DATA, DATA_LOCATION = 10, 11, 14

# Deflated, an endless row of tiny ones takes a few bytes. NumPy's arrays have up to 64 dimensions.
MOST_INITIALIZERS, MOST_FIELDS, MOST_DIMS = 2**20, 2**20, 64

# Where values lie that are not raw: the field, and the bytes of each number in raw_data. Other types: int32_data.
TYPED = {1: (FLOAT_DATA, 4), 14: (FLOAT_DATA, 4), 11: (DOUBLE_DATA, 8), 15: (DOUBLE_DATA, 8), 7: (INT64_DATA, 8),
         12: (UINT64_DATA, 4), 13: (UINT64_DATA, 8)}


def read_graph(model):
    """The main graph's initializers in their order: dicts of `name`, `type` (of ONNX), `dims` and `raw`, the bytes of
    ONNX's raw_data (of strings, a list of bytes). Raises NotValid.
    """
    # The second one is enough to refuse.
    parts = fields(memoryview(model), 'graph')
    graphs = list(itertools.islice((message_of(content, 'graph') for number, content in parts if number == GRAPH), 2))
    need(len(graphs) == 1, 'the model has no graph' if not graphs else 'the model has more than one graph')
    found = {}
    for number, content in fields(graphs[0], 'graph'):
        if number != INITIALIZER:
            continue
        where = f'initializer {len(found)} of the graph'
        tensor = read_tensor(message_of(content, where), where)
        need(tensor['name'] not in found, f'graph: two initializers of the name {tensor["name"]}')
        need(len(found) < MOST_INITIALIZERS, f'graph: more than {MOST_INITIALIZERS} initializers')
        found[tensor['name']] = tensor
    return list(found.values())


def read_tensor(message, where):
    given = {}
    for count, (number, content) in enumerate(fields(message, where)):
        need(count < MOST_FIELDS, f'{where}: more than {MOST_FIELDS} fields')
        given.setdefault(number, []).append(content)
    name = given.get(NAME, [b''])[-1]
    need(not isinstance(name, int), f'name of {where}')
    name = utf8(name, f'name of {where}')
    where = f'{name} in the graph'
    kind = last_number(given, DATA_TYPE, where)
    dims = tuple(itertools.islice(numbers(given.get(DIMS, []), where), MOST_DIMS + 1))
    need(len(dims) <= MOST_DIMS, f'rank of {where}')
    need(kind in BITS or kind == STRING, f'element type {kind} of {where}')
    need(all(dim < 2**63 for dim in dims), f'shape of {where}')
    need(last_number(given, DATA_LOCATION, where) == 0, f'{where} lies in another file')
    elements = 1
    for dim in dims:
        elements *= dim
    expected = elements if kind == STRING else (elements * BITS[kind] + 7) // 8
    raw = strings(given, where) if kind == STRING else raw_data(given, kind, expected, where)
    need(len(raw) == expected, f'values of {where} do not fill its shape')
    return {'name': name, 'type': kind, 'dims': dims, 'raw': raw}


def raw_data(given, kind, expected, where):
    field, size = TYPED.get(kind, (INT32_DATA, max(1, BITS[kind] // 8)))
    raw = given.get(RAW_DATA, [b''])[-1]
    need(not isinstance(raw, int), f'values of {where}')
    if len(raw) or field not in given:
        return bytes(raw)
    if field in (FLOAT_DATA, DOUBLE_DATA):
        need(not any(isinstance(content, int) for content in given[field]), f'values of {where}')
        return b''.join(given[field])
    raw = bytearray()
    for value in itertools.islice(numbers(given[field], where), expected // size + 1):
        raw += (value % 2**(8 * size)).to_bytes(size, 'little')
    return bytes(raw)


def strings(given, where):
    found = given.get(STRING_DATA, [])
    need(not any(isinstance(content, int) for content in found), f'strings of {where}')
    return [bytes(content) for content in found]


def last_number(given, field, where):
    found = given.get(field, [0])[-1]
    need(isinstance(found, int), f'field {field} of {where}')
    return found


def message_of(content, where):
    need(not isinstance(content, int), f'{where}: a number, expected a message')
    return content


def numbers(contents, where):
    """Those of a repeated field, each by itself or packed."""
    for content in contents:
        if isinstance(content, int):
            yield content
            continue
        at = 0
        while at < len(content):
            value, at = varint(content, at, where)
            yield value


def fields(message, where):
    """Pairs of a field's number and content: an int (64 bits, unsigned), or a memoryview of what is longer."""
    at = 0
    while at < len(message):
        tag, at = varint(message, at, where)
        if tag % 8 == 0:
            content, at = varint(message, at, where)
        else:
            need(tag % 8 in (1, 2, 5), f'{where}: field of wire type {tag % 8}')
            size, at = varint(message, at, where) if tag % 8 == 2 else (8 if tag % 8 == 1 else 4, at)
            need(size <= len(message) - at, f'{where}: field beyond its end')
            content, at = message[at:at + size], at + size
        yield tag // 8, content


def varint(message, at, where):
    value = 0
    for shift in range(0, 70, 7):
        need(at < len(message), f'{where}: number without an end')
        byte = message[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value % 2**64, at
    need(False, f'{where}: number of more than 64 bits')
