"""An index over HTTP, seen from a client: the wire format, and clients with the methods of one."""
