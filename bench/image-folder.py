"""The witness of docs/datasets.md: pictures written by Pillow, a network trained and tested by torchvision.

python3 bench/image-folder.py <folder of CIFAR-10's binary version> <folder to write>   (torch 2.13, torchvision, Pillow)

Writes train/<class>/*.png and test/<class>/*.jpg of sizes that differ, network.onnx, and prints torchvision's top-1 as
`ttq evaluate network.onnx --data <folder>/pictures ...` should find it.
"""
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import nn
from torchvision import transforms

source, target = Path(sys.argv[1]), Path(sys.argv[2])
NAMES = 'airplane automobile bird cat deer dog frog horse ship truck'.split()
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def records(name, count):
    data = np.frombuffer((source / name).read_bytes(), np.uint8).reshape(-1, 3073)[:count]
    return data[:, 0], data[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def write(part, name, count, ending):
    random = np.random.default_rng(0)
    for i, (label, pixels) in enumerate(zip(*records(name, count))):
        folder = target / 'pictures' / part / NAMES[label]
        folder.mkdir(parents=True, exist_ok=True)
        size = tuple(int(side) for side in random.integers(72, 140, 2))
        Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(folder / f'{i:05}{ending}')


torch.manual_seed(0)
torch.set_num_threads(2)
write('train', 'data_batch_1.bin', 6000, '.png')
write('test', 'test_batch.bin', 2000, '.jpg')
tested = transforms.Compose(
    [transforms.Resize(73), transforms.CenterCrop(64), transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
learned = torchvision.datasets.ImageFolder(str(target / 'pictures' / 'train'), tested)
held = torchvision.datasets.ImageFolder(str(target / 'pictures' / 'test'), tested)


def block(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, 2, 1), nn.BatchNorm2d(o), nn.ReLU())


network = nn.Sequential(block(3, 24), block(24, 48), block(48, 96), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(384, 10))
optimizer = torch.optim.Adam(network.parameters(), 2e-3)
for epoch in range(4):
    for images, labels in torch.utils.data.DataLoader(learned, 64, shuffle=True):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
network.eval()
with torch.no_grad():
    right = sum(int((network(images).argmax(1) == labels).sum()) for images, labels in torch.utils.data.DataLoader(held, 250))
torch.onnx.export(network, torch.zeros(1, 3, 64, 64), str(target / 'network.onnx'), dynamo=False,
                  input_names=['input'], output_names=['scores'], dynamic_axes={'input': {0: 'N'}, 'scores': {0: 'N'}})
print(f'torchvision {torchvision.__version__}: {right} of {len(held)} right, {100 * right / len(held):.2f} %')
