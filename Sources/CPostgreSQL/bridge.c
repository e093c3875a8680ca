#include "bridge.h"

static void drop_notice(void *context, const PGresult *result) { (void)context, (void)result; }

void ottla_postgresql_silence(PGconn *connection) { PQsetNoticeReceiver(connection, drop_notice, NULL); }

const char *ottla_postgresql_sqlstate(const PGresult *result) { return PQresultErrorField(result, PG_DIAG_SQLSTATE); }

const char *ottla_postgresql_message(const PGresult *result) {
  return PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
}
