"""Functions of space: occupancy and signed distance, what fits them, and the surfaces they bound."""

from .field import Field

__all__ = ["Field"]
