"""Masks and cameras to a mesh, in a few lines of the library.

    python examples/fit_masks.py [VIEWS] [MESH.ply]

VIEWS is any data set that `invgraph doctor` accepts (default: the demo object); about half a minute on two cores.
"""

import sys

import invgraph as ig
from invgraph.fit import FitOptions, ProgressBar


def main(data: str = "assets/demo", out: str = "out/fit_masks.ply") -> None:
    views = ig.load_views(data)
    print(views.source)

    # None: let the fit choose what to start from (here the visual hull of the masks). Two views, evenly spread, are
    # kept out of the fit; they say whether the shape is right or only fits the pictures it was shown.
    result = ig.fit(None, views, FitOptions(holdout=2), callbacks=[ProgressBar()])

    ig.save_mesh(out, result.mesh)  # in the data set's own frame and units
    scores = result.metrics["silhouette_iou"]
    print(f"{result.mesh}, closed: {result.mesh.is_closed}")
    print(f"silhouette IoU {scores['train']['mean']:.4f} on fitted views, {scores['held_out']['mean']:.4f} on others")
    print(f"written: {out}")


if __name__ == "__main__":
    main(*sys.argv[1:])
