"""From a picture file to what is uploaded: decoded, squared, and stripped of metadata."""
