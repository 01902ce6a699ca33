"""Writes what PyTorch's DataLoaders give as arrays that `ttq compress --data data.npz` reads: preprocessing is PyTorch's own.

    from torch_to_npz import torch_to_npz
    torch_to_npz('data.npz', train=train_loader, test=test_loader)

Batches are (inputs, labels), (inputs,) or a dict of inputs by the network's names, with or without `labels`. Random augmentation
is frozen as it was drawn: leave it out of the loader, and let ttq augment. Half the size: `dtype='float16'`.
"""
import numpy as np

LABELS = ('labels', 'label', 'y', 'targets', 'target')


def torch_to_npz(path, dtype=None, most=None, **loaders):
    """Writes one array per part and input (`x_train`, `y_train`, `input_ids_test`); at most `most` samples of each part."""
    arrays = {}
    for part, loader in loaders.items():
        found = {}
        count = 0
        for batch in loader:
            if not isinstance(batch, dict):
                parts = batch if isinstance(batch, (list, tuple)) else (batch,)
                batch = dict(zip(('x', 'y'), parts))
            for name, values in batch.items():
                values = np.asarray(values.detach().cpu() if hasattr(values, 'detach') else values)
                found.setdefault('y' if name in LABELS else name, []).append(values)
            count += len(values)
            if most is not None and count >= most:
                break
        for name, batches in found.items():
            array = np.concatenate(batches)[:most]
            is_input = name != 'y' and array.dtype.kind == 'f'
            arrays[f'{name}_{part}'] = array.astype(dtype) if is_input and dtype else array
    np.savez(path, **arrays)
    return {name: (array.dtype.name, array.shape) for name, array in arrays.items()}
