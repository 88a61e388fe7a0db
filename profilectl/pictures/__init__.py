"""From a picture file to what is uploaded: squared, without metadata but the mark of a machine-made picture."""
