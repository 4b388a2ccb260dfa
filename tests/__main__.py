"""`python3 tests [pytest arguments]`: sets up what is missing, then runs the suite."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "packaging"))

import bootstrap

if __name__ == "__main__":
    sys.exit(bootstrap.start_tests(sys.argv[1:]))
