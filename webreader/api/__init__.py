"""The JSON that the reader speaks with the server."""
