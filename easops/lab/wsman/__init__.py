"""What a client connects to: ports, TLS, logons, message encryption, SOAP, shells (WS-Management, MS-WSMV)."""
