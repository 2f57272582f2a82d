"""Floor 5: the front of house. HTTP, commands, jobs, pages and the assembly; the only floor that knows litestar."""
