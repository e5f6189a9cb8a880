"""Expectation propagation of a probit classifier in NumPy, float64: sweeps with full covariance, as mainstem's are."""

from math import erfc, exp, pi, sqrt

import numpy as np


class ProbitSweeps:
    """Reads rows × columns and a sign a row from raw float64 files. A sweep begins from the sites of the one before."""

    def __init__(self, features, labels, rows, columns, sweeps):
        self.X = np.fromfile(features).reshape(rows, columns)
        self.y = np.fromfile(labels)
        self.sweeps = sweeps
        self.run()

    def result(self):
        return self.run()

    def run(self):
        X, y = self.X, self.y
        n, d = X.shape
        t, u = np.zeros(n), np.zeros(n)
        P, h = np.eye(d), np.zeros(d)
        for _ in range(self.sweeps):
            C = np.linalg.inv(P)
            mu = C @ h
            for i in range(n):
                x = X[i]
                Cx = C @ x
                a, b = x @ Cx, x @ mu
                rest = 1 - t[i] * a
                v, m = a / rest, (b - a * u[i]) / rest
                V = v + 1
                z = y[i] * m / sqrt(V)
                r = exp(-0.5 * z * z) / sqrt(2 * pi) / (0.5 * erfc(-z / sqrt(2)))
                alpha, beta = y[i] * r / sqrt(V), r * (r + z) / V
                p, q = beta / (1 - v * beta), (alpha + m * beta) / (1 - v * beta)
                dt, du = p - t[i], q - u[i]
                g = dt / (1 + dt * a)
                mu += Cx * (du - g * (b + a * du))
                C -= g * np.outer(Cx, Cx)
                t[i], u[i] = p, q
            P = np.eye(d) + (X.T * t) @ X
            h = X.T @ u
        return [*h]
