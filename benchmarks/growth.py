"""What the photometry of one frame costs with more stars and more radii; printed as JSON.

uv run python -m benchmarks.growth
"""

from __future__ import annotations

import json
import os
import time

import numpy as np

SIDE = 2048
CASES = ((50, 1), (50, 10), (50, 30), (200, 10), (1000, 10), (2500, 10))
"""Stars, radii."""
REPEATS = 5


def main() -> None:
    """Measure, and print."""
    from accretor.science import aperture

    rng = np.random.Generator(np.random.PCG64(1))
    image = rng.normal(300, 20, (SIDE, SIDE)).astype(np.float32)
    rows = []
    for n_star, n_radius in CASES:
        x, y = rng.uniform(60, SIDE - 60, (2, n_star))
        spent = []
        for _ in range(REPEATS):
            begun = time.process_time()
            aperture.measure(
                image,
                image,
                x,
                y,
                radii=np.linspace(4, 20, n_radius),
                annulus=(24.0, 36.0),
                fwhm=6.0,
                gain=1.0,
                read_noise=5.0,
                recentre=np.zeros(n_star, dtype=bool),
                saturation=6e4,
            )
            spent.append(time.process_time() - begun)
        rows.append((n_star, n_radius, min(spent)))
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
