#ifndef OTTLA_SQLITE_BRIDGE_H
#define OTTLA_SQLITE_BRIDGE_H

#include <sqlite3.h>

/* Binding with a copy: the library says "copy" with a pointer that Swift cannot write (SQLITE_TRANSIENT). */
int ottla_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 length);
int ottla_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 length);

#endif
