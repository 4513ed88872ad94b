"""`python -m zoetrope.cli` is the `zoetrope` command."""

from zoetrope.cli import main

main()
