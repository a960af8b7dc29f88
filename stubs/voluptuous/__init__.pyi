# Home Assistant puts probatio behind this name before anything imports it.
from probatio import *  # noqa: F403 - all of it
