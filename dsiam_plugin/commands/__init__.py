"""The sub-commands of ``dsiam``, one module each.

Every module has ``add_parser(subparsers)``, which only declares arguments, and ``run(arguments)``,
which imports what it needs and returns the exit status. So ``dsiam --help`` loads no network.
"""
