"""A draft as a file, for those who prepare it offline, and back again.

``writing`` makes the files, ``reading`` takes them apart within strict limits, ``previewing`` says
what an import would change, ``importing`` does it. The formats are described in docs/exchange.md.
"""
