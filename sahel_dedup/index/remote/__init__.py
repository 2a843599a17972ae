"""Clients of an index over HTTP, with the methods of an index, and the wire format."""
