"""Restricted Python in worker processes: the policy, the lock-down, and the pool of workers.

What is covered
    A grader cannot open files, sockets or processes, read the environment, see another sample,
    keep state from one call to the next, run past its time or memory, forge a score, or turn an
    error, a time-out or an exhausted limit into a score.
What is not covered
    Side channels, bugs of the CPython interpreter inside the system-call filter, and a grader
    whose own logic pays for bad answers. With `sandbox="reduced"` (and on macOS) the layers of
    the operating system are missing and only the language policy and the limits hold.

The layers, from the inside: `policy` decides what compiles, `guards` what attributes and sizes a
running script may reach, `facades` what an import gives, `runner` the fresh globals, timers and
checked result of each call, `lockdown` what the process may ask of the kernel, `worker` the loop
in the process, `pool` the parent's side with the kill. `protocol` holds what both sides speak.
"""
