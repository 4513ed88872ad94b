"""Model families, the catalogue of local models, how they are held in memory, and LoRAs on them."""
