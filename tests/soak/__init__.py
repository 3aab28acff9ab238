"""Random projects through random faults, with the laws of a run checked after each: `make soak`."""
