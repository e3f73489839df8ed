"""The pure core: decides, and touches no disk, network, clock, environment or randomness."""
