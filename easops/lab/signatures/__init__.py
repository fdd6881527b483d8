"""Which cmdlets and parameters each version has, and how arguments bind to them."""
