"""The machine: devices, GPUs, energy meters, the compiler. Knows nothing of runs but their cost."""
