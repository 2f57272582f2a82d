"""The library bridge: what a library runs beside its own system, between that and its terminals (SIP2, UTF-8).

A program of the library's, a client of ours like any partner: of this repository it needs this folder,
`api.tool.signing`, `api.tool.caller`, `core.lifecycle` and `core.clock`, and no database. How it is run:
docs/library.md.
"""
