"""How a workspace leaves: taken along whole in an archive, and deleted whole."""
