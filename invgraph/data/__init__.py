"""Views on disk -> `Views`: cameras, silhouettes, photographs; and what is wrong or risky in them."""

from .doctor import examine
from .frames import Finding
from .load import load_views
from .masks import Threshold
from .views import Views

__all__ = ["Finding", "Threshold", "Views", "examine", "load_views"]
