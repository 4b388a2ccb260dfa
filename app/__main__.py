"""`python3 app [CAPTURE | COMMAND ...]`: sets up what is missing, then starts Cosemscope."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "packaging"))

import bootstrap

if __name__ == "__main__":
    sys.exit(bootstrap.start_application(sys.argv[1:]))
