"""A simulated Exchange organisation that answers real WSMan and PSRP. An island: it imports nothing that it tests.

``server.py`` starts one. From the wire inwards: ``wsman/`` (HTTP, logons, WS-Management), ``psrp/`` (runspace pools and
pipelines), ``signatures/`` (which parameters a cmdlet has, and how arguments bind), ``cmdlets/`` and ``scripts/`` (what
the lab answers), ``world/`` (the organisation and its clock).
"""
