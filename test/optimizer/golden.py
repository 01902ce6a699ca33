# Prints the golden numbers of test/optimizer/optimizer.test.ts: three updates of two values by PyTorch's optimizers.
# python3 test/optimizer/golden.py   (torch 2.13.0, CPU)
import torch

torch.set_default_dtype(torch.float64)
GRADIENTS = [[0.5, -0.25], [-0.125, 1.0], [2.0, 0.0625]]


def run(label, make):
    value = torch.tensor([1.0, -2.0], requires_grad=True)
    optimizer = make([value])
    rows = []
    for gradient in GRADIENTS:
        value.grad = torch.tensor(gradient)
        optimizer.step()
        rows.append([round(x, 9) for x in value.tolist()])
    print(f"'{label}': {rows},")


run('sgd', lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01))
run('sgd plain', lambda p: torch.optim.SGD(p, lr=0.1))
run('adamw', lambda p: torch.optim.AdamW(p, lr=0.1, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01))
run('adamw, other rates', lambda p: torch.optim.AdamW(p, lr=0.1, betas=(0.8, 0.99), eps=1e-5, weight_decay=0.01))
