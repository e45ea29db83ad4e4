"""Which files become which files: the only importer of doit.

Work is spread over processes, and each gets one thread: more would make the last
digit of a sum depend on the machine. The libraries read these when they are loaded,
so they are set before any of them is.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
