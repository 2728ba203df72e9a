"""Files, images, videos and screens: what comes in and what goes out."""
