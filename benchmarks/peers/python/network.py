"""Training steps of fully connected networks in PyTorch, eager, float32, one thread."""

import numpy as np
import torch

torch.set_num_threads(1)


def sequential(units, values):
    """Linear and ReLU in turns, from mainstem's flat values: each layer's weights [in × out], then its bias."""
    values, at, layers = np.fromfile(values, dtype=np.float32), 0, []
    for inputs, outputs in zip(units, units[1:]):
        linear = torch.nn.Linear(inputs, outputs)
        weights = values[at : at + inputs * outputs].reshape(inputs, outputs).T
        bias = values[at + inputs * outputs : at + (inputs + 1) * outputs]
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weights.copy()))
            linear.bias.copy_(torch.from_numpy(bias.copy()))
        at += (inputs + 1) * outputs
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


class Steps:
    """One run is one pass over batches that are prepared."""

    def __init__(self, units, values, features, labels, batch_size, rate):
        self.units, self.values = units, values
        x = torch.from_numpy(np.fromfile(features, dtype=np.float32).reshape(-1, units[0]))
        y = torch.from_numpy(np.fromfile(labels).astype(np.int64))
        self.batches = list(zip(x.split(batch_size), y.split(batch_size)))
        self.rate = rate
        self.loss = torch.nn.CrossEntropyLoss()
        self.start()

    def start(self):
        self.model = sequential(self.units, self.values)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=self.rate)

    def run(self, batches=None):
        model, optimizer, loss = self.model, self.optimizer, self.loss
        for x, y in batches or self.batches:
            optimizer.zero_grad(set_to_none=True)
            cost = loss(model(x), y)
            cost.backward()
            optimizer.step()
        return cost

    def result(self):
        """The parameters after one step on the first batch, in mainstem's order."""
        self.start()
        self.run(self.batches[:1])
        with torch.no_grad():
            tensors = [t.T if t.dim() == 2 else t for t in self.model.parameters()]
            values = torch.cat([t.reshape(-1) for t in tensors]).tolist()
        self.start()
        return values
