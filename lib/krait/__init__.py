"""Tools that look into krait itself."""
