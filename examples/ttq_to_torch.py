"""Puts a network that ttq compressed back into the PyTorch module that it was exported from.

    from torch.fx.experimental.optimization import fuse
    from ttq_to_torch import load_into
    module = load_into(fuse(module.eval()), 'net.npz')

`fuse` puts batch norm into the convolutions, as exporters do. net.npz is what `ttq unpack --as npz` makes of a file that was
compressed with --keep-names.
"""
import numpy as np
import torch
from torch import nn

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def load_state(path):
    """{name: tensor}: ternary tensors as float32 values, everything else as it is stored."""
    arrays = np.load(path)
    state = {}
    for name in arrays.files:
        if name.endswith('.codes'):
            plus, minus = arrays[name[:-6] + '.scales']
            codes = arrays[name]
            values = np.where(codes > 0, plus, np.where(codes < 0, -minus, 0)).astype(np.float32)
            state[name[:-6]] = torch.from_numpy(values)
        elif not name.endswith('.scales'):
            values = torch.from_numpy(arrays[name])
            state[name] = values.float() if values.dtype == torch.float16 else values
    return state


def load_into(module, path):
    """Gives the module back with every parameter from the file; KeyError where one is not there."""
    state = load_state(path)
    missing = {name for name in module.state_dict() if not name.endswith('num_batches_tracked')}
    for prefix, layer in module.named_modules():
        weight = f'{prefix}.weight' if prefix else 'weight'
        bias = f'{prefix}.bias' if prefix else 'bias'
        if weight not in missing or weight not in state:
            continue
        values = state[weight]
        # Fitted anew, made by the exporter out of a batch norm, or the module's own.
        shift = next((state[name] for name in (f'{weight}.bias', f'{weight}_bias', bias) if name in state), None)
        for kind in ('norm', 'channel'):
            if f'{weight}.{kind}_scale' in state:
                factor, more = (state[f'{weight}.{kind}_{part}'].flatten() for part in ('scale', 'shift'))
                values = scaled(values, factor, layer)
                shift = more if shift is None else shift * factor + more
        layer.weight = nn.Parameter(values.reshape(layer.weight.shape).to(layer.weight.dtype))
        missing.discard(weight)
        if shift is not None:
            layer.bias = nn.Parameter(shift.flatten().to(layer.weight.dtype))
            missing.discard(bias)
        elif bias in missing and not layer.bias.any():
            # Exporters leave biases of nothing but zeros out.
            missing.discard(bias)
    # Statistics of batch norms that were not fused, parameters that belong to no layer.
    for name in missing & state.keys():
        module.state_dict()[name].copy_(state[name].reshape(module.state_dict()[name].shape))
    if missing - state.keys():
        raise KeyError(f'{path}: found no {", ".join(sorted(missing - state.keys()))}: export with the names of the module')
    return module


def scaled(weight, factor, layer):
    """A factor per output channel: the first axis of weights, of transposed convolutions the second within each group."""
    if not isinstance(layer, TRANSPOSED):
        return weight * factor.reshape(-1, *[1] * (weight.dim() - 1))
    grouped = weight.reshape(layer.groups, -1, *weight.shape[1:])
    return (grouped * factor.reshape(layer.groups, 1, -1, *[1] * (weight.dim() - 2))).reshape(weight.shape)
