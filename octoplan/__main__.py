"""`python -m octoplan`."""

from octoplan.cli import main

main()
