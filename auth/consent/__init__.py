"""What citizens allow: the ledger, its terms and receipts, and whom a source may send about."""
