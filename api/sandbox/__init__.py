"""`/v1/sandbox`: what a partner tries its system with. Only in an assembly and a database made as a sandbox."""
