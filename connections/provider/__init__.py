"""What the run engine needs of a provider; docs/providers.md says how another one is added."""
