#ifndef OTTLA_POSTGRESQL_BRIDGE_H
#define OTTLA_POSTGRESQL_BRIDGE_H

#include <postgresql/libpq-fe.h>

/* Makes a connection drop the server's notices instead of writing them to stderr. */
void ottla_postgresql_silence(PGconn *connection);

/* The five characters that say what kind of error a result is, or NULL; the library has the field's name as a character. */
const char *ottla_postgresql_sqlstate(const PGresult *result);

/* The error's first sentence in the server's words, or NULL. */
const char *ottla_postgresql_message(const PGresult *result);

#endif
