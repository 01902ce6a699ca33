"""One measurement of the same training step in PyTorch, as a process of its own.

    python3 bench/peers/torch_step.py <network> <batch> <steps> <default|channels_last|compile>

TTQ as a torch.autograd.Function on every layer but the first and the last, distillation from a copy of the network in evaluation
mode, SGD with momentum, crop and flip of 8-bit images. Prints one line of JSON: median milliseconds per step, peak memory.
"""
import copy
import json
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Ternary(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weight, scales, threshold):
        delta = threshold * weight.abs().max()
        positive, negative = weight > delta, weight < -delta
        ctx.save_for_backward(positive, negative, scales)
        return torch.where(positive, scales[0], torch.where(negative, -scales[1], torch.zeros_like(scales[0])))

    @staticmethod
    def backward(ctx, grad):
        positive, negative, scales = ctx.saved_tensors
        scale_grad = torch.stack([(grad * positive).sum(), -(grad * negative).sum()])
        factor = torch.where(positive, scales[0], torch.where(negative, scales[1], torch.ones_like(scales[0])))
        return grad * factor, scale_grad, None


class TernaryConv(nn.Conv2d):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.scales = nn.Parameter(torch.tensor([0.1, 0.1]))

    def forward(self, x):
        return self._conv_forward(x, Ternary.apply(self.weight, self.scales, 0.1) if self.training else self.weight, self.bias)


class TernaryLinear(nn.Linear):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.scales = nn.Parameter(torch.tensor([0.01, 0.01]))

    def forward(self, x):
        return F.linear(x, Ternary.apply(self.weight, self.scales, 0.1) if self.training else self.weight, self.bias)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, projection):
        super().__init__()
        self.conv1 = TernaryConv(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = TernaryConv(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.grow = outputs - inputs
        self.shortcut = None
        if projection and (stride != 1 or self.grow):
            self.shortcut = nn.Sequential(TernaryConv(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.shortcut is not None:
            x = self.shortcut(x)
        elif self.grow:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.grow // 2, self.grow // 2))
        return F.relu(x + y)


def resnet_cifar(depth):
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for outputs in (16, 32, 64):
        for block in range((depth - 2) // 6):
            layers.append(Block(inputs, outputs, 2 if outputs > 16 and block == 0 else 1, False))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def resnet18():
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    inputs = 64
    for outputs in (64, 128, 256, 512):
        for block in range(2):
            layers.append(Block(inputs, outputs, 2 if outputs > 64 and block == 0 else 1, True))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))


class Inverted(nn.Module):
    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        inner = inputs * expansion
        layers = [] if expansion == 1 else [TernaryConv(inputs, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU6()]
        layers += [TernaryConv(inner, inner, 3, stride, 1, groups=inner, bias=False), nn.BatchNorm2d(inner), nn.ReLU6()]
        self.layers = nn.Sequential(*layers, TernaryConv(inner, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.layers(x) if self.residual else self.layers(x)


def mobilenetv2():
    layers = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6()]
    inputs = 32
    for expansion, outputs, repeat, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for block in range(repeat):
            layers.append(Inverted(inputs, outputs, stride if block == 0 else 1, expansion))
            inputs = outputs
    layers += [TernaryConv(320, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000))


def alexnet():
    same = lambda before, after: nn.ZeroPad2d((before, after, before, after))
    return nn.Sequential(
        nn.Conv2d(3, 96, 12, 4), nn.ReLU(), TernaryConv(96, 256, 5, 1, 2, groups=2, bias=False), nn.BatchNorm2d(256), same(0, 1), nn.MaxPool2d(3, 2),
        nn.ReLU(), TernaryConv(256, 384, 3, 1, 1, bias=False), nn.BatchNorm2d(384), same(0, 1), nn.MaxPool2d(3, 2), nn.ReLU(),
        TernaryConv(384, 384, 3, 1, 1, groups=2, bias=False), nn.BatchNorm2d(384), nn.ReLU(),
        TernaryConv(384, 256, 3, 1, 1, groups=2, bias=False), nn.BatchNorm2d(256), nn.MaxPool2d(3, 2), nn.ReLU(), nn.Flatten(),
        TernaryLinear(9216, 4096), nn.BatchNorm1d(4096), nn.ReLU(), TernaryLinear(4096, 4096), nn.BatchNorm1d(4096), nn.ReLU(), nn.Linear(4096, 1000))


NETWORKS = {
    "resnet20": (lambda: resnet_cifar(20), 32), "resnet56": (lambda: resnet_cifar(56), 32),
    "resnet18": (resnet18, 224), "mobilenetv2": (mobilenetv2, 224), "alexnet": (alexnet, 224),
}


def main():
    name, batch, steps, variant = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    torch.manual_seed(1)
    build, size = NETWORKS[name]
    layout = torch.contiguous_format if variant == "default" else torch.channels_last
    student = build().to(memory_format=layout)
    teacher = copy.deepcopy(student).eval().requires_grad_(False)
    student.train()
    # Fixed shapes: with its default, compile takes blocks of other widths for one of dynamic width and fails in its own lowering.
    torch._dynamo.config.recompile_limit = 256
    step_student, step_teacher = (torch.compile(net, dynamic=False) if variant == "compile" else net for net in (student, teacher))
    scales = [p for n, p in student.named_parameters() if n.endswith("scales")]
    vectors = [p for n, p in student.named_parameters() if p.dim() < 2 and not n.endswith("scales")]
    weights = [p for p in student.parameters() if p.dim() >= 2]
    optimizer = torch.optim.SGD([
        {"params": weights, "lr": 0.02, "weight_decay": 1e-4}, {"params": vectors, "lr": 0.02}, {"params": scales, "lr": 1e-3}], momentum=0.9)
    images = torch.randint(0, 256, (512, 3, size, size), dtype=torch.uint8)
    classes = 10 if size == 32 else 1000
    labels = torch.arange(512) % classes
    temperature, distill = 4.0, 0.7
    durations = []
    for step in range(steps):
        start = time.perf_counter()
        chosen = (torch.arange(batch) + step * batch) % 512
        padded = F.pad(images[chosen], (4, 4, 4, 4))
        row, column = torch.randint(0, 9, (2,)).tolist()
        x = padded[:, :, row:row + size, column:column + size]
        flip = torch.rand(batch) < 0.5
        x = torch.where(flip[:, None, None, None], x.flip(3), x).float().div_(255).sub_(0.5).div_(0.25).contiguous(memory_format=layout)
        with torch.no_grad():
            target = F.log_softmax(step_teacher(x) / temperature, 1)
        scores = step_student(x)
        loss = (1 - distill) * F.cross_entropy(scores, labels[chosen]) + distill * temperature ** 2 * F.kl_div(
            F.log_softmax(scores / temperature, 1), target, reduction="batchmean", log_target=True)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for scale in scales:
                scale.clamp_(min=1e-4)
        loss.item()
        durations.append(time.perf_counter() - start)
    durations = sorted(durations[3:])
    print(json.dumps({"msPerStep": 1000 * durations[len(durations) // 2], "threads": torch.get_num_threads(), "version": torch.__version__,
                      "peakMegabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


main()
