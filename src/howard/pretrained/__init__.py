"""The weights that ship with Howard, their model card, licences, checksums and bill of materials."""
