"""`python -m drimbench`."""

from drimbench.cli import main

main()
