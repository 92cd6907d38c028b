"""`python -m ruleng`."""

import sys

from ruleng.cli.main import main

sys.exit(main())
