"""What KOReader talks to: KOSync, and the catalogues and shares it can open."""
