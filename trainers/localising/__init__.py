"""Where lesions lie, by a network that saw image labels only: class activation maps."""

from trainers.localising.cam import Cam

__all__ = ["Cam"]
