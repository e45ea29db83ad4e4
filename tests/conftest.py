"""What all tests share."""

import os

# Many threads on small matrices, in several test processes, wait for one another; a run of doit has one too.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

from hypothesis import settings

# A busy machine must not fail a property for being slow.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
