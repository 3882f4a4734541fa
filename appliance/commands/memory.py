"""Give memory back: what a small machine needs of its C library."""

import ctypes

# Parameters of glibc's mallopt (malloc.h).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


def return_freed_memory() -> None:
    """By default glibc gives each thread a heap of its own and keeps what was freed there: after a page of covers the
    server would hold 150 MB for ever instead of 113. Call it before there are threads; elsewhere than on glibc it does
    nothing."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_ARENA_MAX, 2)
    mallopt(_M_MMAP_THRESHOLD, 128 * 1024)
    mallopt(_M_TRIM_THRESHOLD, 128 * 1024)
