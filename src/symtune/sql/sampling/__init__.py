"""Programs drawn over tables, proven and balanced."""
