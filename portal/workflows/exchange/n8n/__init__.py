"""Files of n8n: read, brought into our shape, and told node by node."""
