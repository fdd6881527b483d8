"""The simulated organisation. The same scenario, seed and changes give the same world again, to the byte."""

from __future__ import annotations

from easops.lab.world.world import World

__all__ = ["World"]
