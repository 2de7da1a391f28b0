"""Longboard, but with one transaction for each post. Group commit is compared with this."""

import server
from storage.sqlite import connection

if __name__ == "__main__":
    connection.MAX_BATCH = 1
    server.main()
