"""What a call costs: a simulated provider, a load driver, and the figures of gateways beside ours.

Nothing of the product imports this room. `python -m benchmarks` runs it; docs/benchmarks.md says
how to read what it prints.
"""
