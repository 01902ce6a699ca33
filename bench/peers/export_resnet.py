"""Exports a CIFAR-10 ResNet of akamaster/pytorch_resnet_cifar10 to ONNX, for `npm run results`.

    python3 bench/peers/export_resnet.py resnet20-12fca82f.th models/cifar10-resnet20.onnx

The first file is one of that repository's pretrained_models. Batch norm is folded into the convolutions, as exporters leave it; with --bn it
is kept. Needs torch and onnx.
"""
import argparse

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.added = stride, (outputs - inputs) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        # He et al.'s option A: every other pixel, channels padded with zeros.
        shortcut = x if self.stride == 1 else F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.added, self.added))
        return F.relu(y + shortcut)


class ResNet(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        stages = [(16, 16, 1), (16, 32, 2), (32, 64, 2)]
        for i, (inputs, outputs, stride) in enumerate(stages, 1):
            rest = [Block(outputs, outputs, 1) for _ in range(blocks - 1)]
            setattr(self, f"layer{i}", nn.Sequential(Block(inputs, outputs, stride), *rest))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.linear(x.mean((2, 3)))

    def fold(self):
        for owner in [self, *(block for block in self.modules() if isinstance(block, Block))]:
            for conv, bn in [("conv1", "bn1"), ("conv2", "bn2")]:
                if hasattr(owner, bn):
                    setattr(owner, conv, fuse_conv_bn_eval(getattr(owner, conv), getattr(owner, bn)))
                    setattr(owner, bn, nn.Identity())


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("weights")
parser.add_argument("output")
parser.add_argument("--bn", action="store_true", help="keep batch norm")
args = parser.parse_args()

stored = torch.load(args.weights, map_location="cpu", weights_only=True)["state_dict"]
state = {name.removeprefix("module."): value for name, value in stored.items()}
blocks = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("layer1."))
net = ResNet(blocks)
net.load_state_dict(state)
net.eval()
if not args.bn:
    net.fold()
torch.onnx.export(
    net, (torch.zeros(1, 3, 32, 32),), args.output, input_names=["input"], output_names=["logits"],
    dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}}, opset_version=13, dynamo=False,
    training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
)
