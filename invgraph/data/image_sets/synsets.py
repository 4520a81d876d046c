"""Classes by name: ShapeNet's files and folders are named for numbers of WordNet."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ...errors import InputError

NUMBERS = {
    "airplane": "02691156",
    "bench": "02828884",
    "boat": "04530566",
    "bottle": "02876657",
    "cabinet": "02933112",
    "car": "02958343",
    "chair": "03001627",
    "display": "03211117",
    "lamp": "03636649",
    "loudspeaker": "03691459",
    "mug": "03797390",
    "phone": "04401088",
    "rifle": "04090263",
    "sofa": "04256520",
    "table": "04379243",
}
"""WordNet's numbers of the thirteen classes of the NMR set, and of two more that shapes are made of."""
_NAMES = {number: name for name, number in NUMBERS.items()}


def class_name(synset: str) -> str:
    """A class's name, where it is known, or else what is given."""
    return _NAMES.get(synset, synset)


def chosen_classes(where: str, wanted: Sequence[str] | None, there: Sequence[str]) -> tuple[str, ...]:
    """Those of the classes that are there which are wanted, by name or number; None: all.

    Args:
        where: what holds the classes, for the error.
        wanted: in this order.
        there: as files or folders are named.

    Raises:
        InputError: one that is not there, or is named twice.
    """
    if wanted is None:
        return tuple(there)
    found = tuple(name if name in there else NUMBERS.get(name, name) for name in wanted)
    lacking = [name for name, synset in zip(wanted, found) if synset not in there]
    if lacking:
        known = ", ".join(_described(there)) or "none"
        raise InputError(f"{where}: no class {', '.join(map(repr, lacking))}; there are: {known}")
    if len(set(found)) < len(found):
        raise InputError(f"{where}: expected different classes, got {', '.join(wanted)}")
    return found


def _described(synsets: Collection[str]) -> list[str]:
    return [f"{synset} ({_NAMES[synset]})" if synset in _NAMES else synset for synset in sorted(synsets)]
