"""The boundary document: Revisions, rows, agreement, signing, approval, in force."""
