"""Benchmarks: ``python -m benchmarks [TABLE ...]`` prints the tables that the README quotes.

Peers are measured where they can be imported and called "not installed" elsewhere: ``pip install deodr mitsuba`` (the
latter also needs LLVM's shared library: ``apt-get install libllvm19``, or ``DRJIT_LIBLLVM_PATH``), PyTorch3D
(``pip install --no-build-isolation git+https://github.com/facebookresearch/pytorch3d@stable``) and, with a GPU,
nvdiffrast (``pip install --no-build-isolation git+https://github.com/NVlabs/nvdiffrast``).
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does, and before torch
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
