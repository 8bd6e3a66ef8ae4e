"""Networks from files and into files."""
