"""Makes a worker's processes short of memory, by the kernel's own word: few megabytes are left."""

import resource
from typing import Any

from celery.signals import worker_process_init

LEFT_BYTES = 60 * 1024 * 1024


@worker_process_init.connect
def limit(**_signal: Any) -> None:
    with open("/proc/self/statm") as own:
        pages = int(own.read().split()[0])
    most = pages * resource.getpagesize() + LEFT_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
