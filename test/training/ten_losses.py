# Prints the golden numbers of test/training/ten-losses.test.ts: ten steps of fine-tuning a small network, written from the method's formulas
# in float64 and differentiated by PyTorch's autograd.
# python3 test/training/ten_losses.py   (torch 2.13.0, CPU)
import json
import math
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
T, RATE, SCALE_RATE, DECAY, MOMENTUM, DISTILL, TEMPERATURE, STEPS, WARMUP, BATCH, CLASSES = 0.3, 0.1, 0.05, 0.01, 0.9, 0.7, 4.0, 10, 2, 4, 3


def wave(dims, phase, amplitude, offset=0.0):
    count = math.prod(dims)
    return (offset + amplitude * torch.sin(torch.arange(count) * 1.7 + phase)).reshape(dims)


START = {
    'c1.w': wave([4, 2, 3, 3], 1, 0.4), 'n1.scale': wave([4], 2, 0.2, 1), 'n1.shift': wave([4], 3, 0.2), 'n1.mean': wave([4], 4, 0.2), 'n1.var': wave([4], 5, 0.3, 1),
    'c2.w': wave([8, 4, 3, 3], 6, 0.3), 'n2.scale': wave([8], 7, 0.2, 1), 'n2.shift': wave([8], 8, 0.2), 'n2.mean': wave([8], 9, 0.2), 'n2.var': wave([8], 10, 0.3, 1),
    'c3.w': wave([8, 8, 1, 1], 11, 0.5), 'c3.b': wave([8], 12, 0.1), 'fc.w': wave([3, 8], 13, 0.5), 'fc.b': wave([3], 14, 0.1),
}
TERNARY = ['c2.w', 'c3.w']
WEIGHTS = ['c1.w', 'fc.w']
STATISTICS = ['n1.mean', 'n1.var', 'n2.mean', 'n2.var']


def images(batch):
    return wave([BATCH, 2, 8, 8], 0.9 * batch, 1.0)


def labels(batch):
    return (torch.arange(BATCH) * 2 + batch) % CLASSES


class Ternary(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w, scales):
        delta = T * w.abs().max()
        positive, negative = w > delta, w < -delta
        ctx.save_for_backward(positive, negative, scales)
        return scales[0] * positive - scales[1] * negative

    @staticmethod
    def backward(ctx, g):
        positive, negative, scales = ctx.saved_tensors
        zero = ~(positive | negative)
        return g * (scales[0] * positive + scales[1] * negative + 1.0 * zero), torch.stack([(g * positive).sum(), -(g * negative).sum()])


def normalize(x, p, name, training, updated):
    mean, var = p[f'{name}.mean'], p[f'{name}.var']
    if training:
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        for statistic, value in ((f'{name}.mean', mean), (f'{name}.var', var)):
            updated[statistic] = 0.9 * p[statistic] + 0.1 * value.detach()
    at = (None, slice(None), None, None)
    return (x - mean[at]) / torch.sqrt(var[at] + 1e-5) * p[f'{name}.scale'][at] + p[f'{name}.shift'][at]


def network(x, p, training=False, updated=None):
    x = F.relu(normalize(F.conv2d(x, p['c1.w'], padding=1), p, 'n1', training, updated))
    x = F.relu(normalize(F.conv2d(x, p['c2.w'], stride=2, padding=1), p, 'n2', training, updated))
    return F.conv2d(x, p['c3.w'], p['c3.b']).mean((2, 3)) @ p['fc.w'].T + p['fc.b']


def loss_of(scores, batch, smoothing):
    entropy = F.cross_entropy(scores, labels(batch), label_smoothing=smoothing)
    teacher = F.log_softmax(network(images(batch), START) / TEMPERATURE, 1)
    divergence = F.kl_div(F.log_softmax(scores / TEMPERATURE, 1), teacher, reduction='batchmean', log_target=True)
    return (1 - DISTILL) * entropy + DISTILL * TEMPERATURE ** 2 * divergence


def rate_at(step, drops):
    if step < WARMUP:
        return (step + 1) / WARMUP
    if drops is not None:
        return 0.1 ** sum(step >= drop for drop in drops)
    return (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP))) / 2


# The norm of the mean gradient is that of the weights as the network sees them: ternary ones, not latent ones and scales.
def clip(p, learned, quantized, limit):
    seen = [sum(q[name].grad for q in quantized) for name in TERNARY] + [p[name].grad for name in learned if name not in TERNARY and not name.endswith('.scales')]
    norm = torch.sqrt(sum((g ** 2).sum() for g in seen))
    for name in learned:
        p[name].grad *= min(1.0, limit / norm)


def run(label, replicas, smoothing=0.0, limit=None, drops=None):
    p = {name: value.clone() for name, value in START.items()}
    units = {}
    for name in TERNARY:
        w = p[name]
        largest = w.abs().max()
        scales = torch.stack([w[w > T * largest].mean(), -w[w < -T * largest].mean()])
        # Wp and Wn are counted in the power of two nearest to their mean.
        units[name] = 2.0 ** round(math.log2(scales.mean().item()))
        p[f'{name}.scales'] = scales / units[name]
        p[name] = w / largest
    learned = [name for name in p if name not in STATISTICS]
    for name in learned:
        p[name].requires_grad_()
    decayed = [p[name] for name in TERNARY + WEIGHTS]
    scales = [p[f'{name}.scales'] for name in TERNARY]
    others = [p[name] for name in learned if name not in TERNARY + WEIGHTS and not name.endswith('.scales')]
    optimizer = torch.optim.SGD([{'params': decayed, 'weight_decay': DECAY}, {'params': others}, {'params': scales}], lr=RATE, momentum=MOMENTUM)
    losses = []
    for step in range(STEPS):
        for group, peak in zip(optimizer.param_groups, (RATE, RATE, SCALE_RATE)):
            group['lr'] = peak * rate_at(step, drops)
        optimizer.zero_grad()
        parts, statistics, all_quantized = [], [], []
        for replica in range(replicas):
            batch, updated = step * replicas + replica, {}
            quantized = {**p, **{name: units[name] * Ternary.apply(p[name], p[f'{name}.scales']) for name in TERNARY}}
            for name in TERNARY:
                quantized[name].retain_grad()
            all_quantized.append(quantized)
            part = loss_of(network(images(batch), quantized, True, updated), batch, smoothing)
            (part / replicas).backward()
            parts.append(part.item())
            statistics.append(updated)
        if limit is not None:
            clip(p, learned, all_quantized, limit)
        optimizer.step()
        for name in STATISTICS:
            p[name] = sum(updated[name] for updated in statistics) / replicas
        losses.append(sum(parts) / replicas)
    shown = [*(f'{name}.scales' for name in TERNARY), *STATISTICS, 'fc.b', 'fc.w', 'n1.scale']
    print(f'  {label}: {{')
    print('    losses:', json.dumps([round(x, 7) for x in losses]) + ',')
    print('    values: {')
    for name in shown:
        print(f"      '{name}':", json.dumps([round(x, 7) for x in p[name].flatten().tolist()]) + ',')
    print('    },\n  },')


run('one', 1)
run('two', 2)
run('clipped', 2, smoothing=0.1, limit=0.05, drops=[5, 8])
