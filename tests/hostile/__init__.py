"""Tests with clients and files that mean harm or are unlucky, and with faults."""
