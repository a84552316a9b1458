"""`python -m tsclust`"""

from tsclust.cli import main

main()
