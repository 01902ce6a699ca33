# Prints the golden numbers of test/ternary/update-graph.test.ts: ten TTQ steps of one layer of eight weights, written from the method's
# formulas as an autograd function and trained by PyTorch's own optimizers against loss = sum((w_t - target)^2) / 2;
# Wp and Wn are counted in the power of two nearest to their mean.
# python3 test/ternary/ttq_golden.py   (torch 2.13.0, CPU)
import math

import torch

torch.set_default_dtype(torch.float64)
WEIGHTS = [0.5, -0.4, 0.3, -0.2, 0.1, 0.02, -0.01, -0.6]
TARGET = [0.1, -0.9, 0.8, 0.3, -0.4, 0.25, -0.3, 0.05]
T = 0.3


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


def run(label, make):
    weights, target = torch.tensor(WEIGHTS), torch.tensor(TARGET)
    positive, negative = weights > T * weights.abs().max(), weights < -T * weights.abs().max()
    latent = (weights / weights.abs().max()).requires_grad_()
    scales = torch.stack([weights[positive].mean(), -weights[negative].mean()])
    unit = 2.0 ** round(math.log2(scales.mean().item()))
    scales = (scales / unit).requires_grad_()
    optimizer = make(latent, scales)
    losses = []
    for _ in range(10):
        loss = ((unit * Ternary.apply(latent, scales) - target) ** 2).sum() / 2
        losses.append(round(loss.item(), 9))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"{label}: {{\n  losses: {losses},\n  latent: {[round(x, 9) for x in latent.tolist()]},\n  scales: {[round(x, 9) for x in scales.tolist()]},\n}},")


def groups(latent, scales):
    return [{'params': [latent], 'weight_decay': 0.01}, {'params': [scales], 'weight_decay': 0.0, 'lr': 0.02}]


run('sgd', lambda latent, scales: torch.optim.SGD(groups(latent, scales), lr=0.1, momentum=0.9))
run('adam', lambda latent, scales: torch.optim.AdamW(groups(latent, scales), lr=0.1))
