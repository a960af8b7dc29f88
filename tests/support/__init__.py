"""What the tests share: scripted mail servers, certificates and helpers."""
