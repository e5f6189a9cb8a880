"""Full-batch gradient descent of linear and logistic regression in NumPy, float64."""

import numpy as np


class Descent:
    """Reads rows × columns and one label a row from raw float64 files. Cost and steps are those of mainstem."""

    def __init__(self, features, labels, rows, columns, iterations, rate, costs):
        self.X = np.fromfile(features).reshape(rows, columns)
        self.y = np.fromfile(labels)
        self.iterations, self.rate, self.keeps_costs = iterations, rate, costs
        self.residual = np.empty(rows)

    def result(self):
        w, b, costs = self.run()
        return [*w, b, *costs]


class Linear(Descent):
    """Cost: mean squared error."""

    def run(self):
        X, y, r = self.X, self.y, self.residual
        n = len(y)
        w, b, costs = np.zeros(X.shape[1]), 0.0, []
        for _ in range(self.iterations):
            np.dot(X, w, out=r)
            r += b
            r -= y
            if self.keeps_costs:
                costs.append(r @ r / n)
            w -= (2 * self.rate / n) * (X.T @ r)
            b -= (2 * self.rate / n) * r.sum()
        return w, b, costs


class Logistic(Descent):
    """Cost: mean log loss. Labels are 0 and 1."""

    def run(self):
        X, y, r = self.X, self.y, self.residual
        n = len(y)
        w, b, costs = np.zeros(X.shape[1]), 0.0, []
        is_one = y == 1
        for _ in range(self.iterations):
            np.dot(X, w, out=r)
            r += b
            np.negative(r, out=r)
            np.exp(r, out=r)
            r += 1
            np.reciprocal(r, out=r)
            if self.keeps_costs:
                costs.append(-np.log(np.where(is_one, r, 1 - r)).mean())
            r -= y
            w -= (self.rate / n) * (X.T @ r)
            b -= (self.rate / n) * r.sum()
        return w, b, costs
