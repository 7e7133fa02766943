"""A workspace's configuration as a file: written out, compared, applied. docs/configuration.md."""
