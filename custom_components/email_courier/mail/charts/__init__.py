"""Charts: values over time, and pictures of them."""
