"""What the library costs, each time against something named, in one run."""
