"""Benchmarks: ``python -m benchmarks [TABLE ...]`` prints the tables that the README quotes.

Peers are measured where they can be imported and called "not installed" elsewhere: ``pip install deodr mitsuba`` (the
latter also needs LLVM's shared library: ``apt-get install libllvm19``, or ``DRJIT_LIBLLVM_PATH``), PyTorch3D
(``pip install --no-build-isolation git+https://github.com/facebookresearch/pytorch3d@stable``) and, with a GPU,
nvdiffrast (``pip install --no-build-isolation git+https://github.com/NVlabs/nvdiffrast``).
"""

import invgraph.cli as _settings  # noqa: F401  threads and memory as the commands have them, before torch
