"""Starts the frozen program, which has every command and the window."""

import sys

from cosemscope.__main__ import main

sys.exit(main())
