"""AgentMesh protocol version 1, a second implementation, written from SPEC.md alone."""
