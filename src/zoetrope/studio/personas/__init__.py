"""Personas as the studio knows them: who they are, how they speak, what their pictures are made with."""
