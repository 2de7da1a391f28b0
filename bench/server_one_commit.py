"""Longboard, but each post is a transaction of its own: what group commit is measured against."""

import server
from storage.sqlite import connection

if __name__ == "__main__":
    connection.MAX_BATCH = 1
    server.main()
