"""Where lesions lie, by a network that saw image labels only: class activation maps.

It may use engines, problems and what is shared; no other trainer.
"""

from trainers.localising.cam import Cam

__all__ = ["Cam"]
