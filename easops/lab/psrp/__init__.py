"""Runspace pools and pipelines: the server's half of MS-PSRP, without a PowerShell."""
