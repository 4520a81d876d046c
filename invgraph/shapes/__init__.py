"""What is optimized: each shape turns its parameters into a mesh and states its own regularizers."""

from .field_shape import FieldShape
from .lattice_energy import lattice_energies
from .lattice_field import LatticeField
from .restore import restored
from .shape import Shape
from .template import TemplateShape

__all__ = ["FieldShape", "LatticeField", "Shape", "TemplateShape", "lattice_energies", "restored"]
