"""A night made from known numbers, for the demo, the tests and the benchmarks."""
