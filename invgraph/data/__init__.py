"""Views on disk -> `Views`: cameras, silhouettes, photographs; and what is wrong or risky in them."""

from .frames import Finding
from .load import load_views
from .masks import Threshold
from .views import Views

__all__ = ["Finding", "Threshold", "Views", "load_views"]
