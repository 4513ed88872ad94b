"""Made pictures: what was asked for, the job that draws it, and what came of it."""
