"""The package as its users meet it."""

import importlib.metadata
import subprocess
import sys

import invgraph as ig


def test_every_public_name_is_there():
    for name in ig.__all__:
        assert getattr(ig, name) is not None
    assert set(ig.__all__) <= set(dir(ig))


def test_version_is_the_distributions():
    assert importlib.metadata.version("invgraph") == ig.__version__


def test_a_renderers_import_is_light():
    """Rendering loads torch and the kernels, and none of the heavy libraries that other rooms use."""
    code = (
        "import sys, invgraph as ig; ig.render, ig.ops, ig.Mesh, ig.Cameras\n"
        "heavy = {'trimesh', 'scipy', 'skimage', 'kornia', 'imageio', 'tyro', 'rich', 'tensorboard', 'jinja2', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
