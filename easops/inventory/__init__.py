"""The inventory: hosts, their endpoints, and where their passwords are."""

from easops.inventory.host import Credential, Endpoint, Host
from easops.inventory.load import Inventory, load_inventory
from easops.inventory.select import select

__all__ = ["Credential", "Endpoint", "Host", "Inventory", "load_inventory", "select"]
