"""How `make docs` builds the site: the pages of this folder, and the reference from the package's docstrings."""

from typing import Any

from sphinx.util.nodes import make_refnode

import invgraph

project = "invgraph"
author = "the invgraph authors"
copyright = "the invgraph authors"
release = version = invgraph.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"invgraph {version}"
html_show_copyright = False
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["width.css"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

default_role = "py:obj"  # `name` in a docstring is a link where there is something to link to
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
napoleon_use_ivar = True
napoleon_use_rtype = False

# `invgraph.render` and `invgraph.fit` are modules that can be called: the reference shows the functions
for _name in ("render", "fit"):
    setattr(invgraph, _name, getattr(invgraph, _name).__wrapped__)


def _by_last_name(app: Any, env: Any, node: Any, text: Any) -> Any:
    """A link to `invgraph.geometry.mesh.Mesh`, where Mesh is defined, leads to `invgraph.Mesh`, where it is shown."""
    if node.get("refdomain") != "py":
        return None
    domain = env.get_domain("py")
    last = node["reftarget"].rsplit(".", 1)[-1]
    found = [(name, entry) for name, entry in domain.objects.items() if name.rsplit(".", 1)[-1] == last]
    if len(found) != 1:
        return None
    name, entry = found[0]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, text, name)


def _no_type_before_a_colon(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """An attribute's docstring `(B, H, W) int32: the face` is a sentence: napoleon would take its start for a type."""
    if what in ("attribute", "property") and lines:
        lines[:0] = ["..", ""]  # an empty comment


def setup(app: Any) -> None:
    app.connect("autodoc-process-docstring", _no_type_before_a_colon, priority=100)  # before napoleon
    app.connect("missing-reference", _by_last_name)
