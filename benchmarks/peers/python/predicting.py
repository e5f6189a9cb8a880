"""Predictions of fully connected networks in PyTorch, eager, without gradients, one thread."""

import numpy as np
import torch
from network import sequential


class Predicting:
    """One run: rows as a NumPy array in, probabilities as a NumPy array out."""

    def __init__(self, units, values, features):
        self.model = torch.nn.Sequential(*sequential(units, values), torch.nn.Softmax(dim=1)).eval()
        self.features = np.fromfile(features, dtype=np.float32).reshape(-1, units[0])

    def run(self):
        with torch.no_grad():
            return self.model(torch.from_numpy(self.features)).numpy()

    def result(self):
        return self.run().reshape(-1)
