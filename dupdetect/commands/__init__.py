"""
The commands, a file each; `dupdetect.cli` lists them.

Takes   options and arguments, as click parsed them
Gives   a call of the library, and what it returned in words or JSON; errors are raised, and `cli` says them
Cost    none at import beyond click and the settings: a command imports what it works with when it is called
"""
