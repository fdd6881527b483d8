"""The lab's world: causal, and the same again for the same scenario, seed and changes."""

from __future__ import annotations

from easops.lab.world.world import World

__all__ = ["World"]
