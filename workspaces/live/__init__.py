"""What moves on open pages, shown as it moves: see `streams`."""
