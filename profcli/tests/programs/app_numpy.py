"""numpy sorts, multiplies and makes arrays. It sorts for more than a second on any machine."""

import time

import numpy as np


def main():
    generator = np.random.RandomState(7)
    data = generator.rand(1_000_000)
    total = 0.0
    began = time.process_time()
    while time.process_time() < began + 1.2:
        values = data.copy()
        values.sort()  # SORT
        total = float(values[500_000])
    made = 0
    for n in range(40):
        made += np.arange(n, n + 1_000_000, dtype=np.float64).nbytes  # MADE
    matrix = generator.rand(300, 300)
    for _ in range(20):
        matrix = matrix @ matrix / np.abs(matrix).max()
    words = {}
    for n in range(300_000):
        words[n % 1009] = words.get(n % 1009, 0) + n
    print(round(total, 6), made, bool(np.isfinite(matrix).all()), words[7])


main()
