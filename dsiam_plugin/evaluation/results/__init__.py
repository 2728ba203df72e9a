"""Result files: reading, writing and converting them."""
