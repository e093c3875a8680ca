#ifndef OTTLA_OPENSSL_BRIDGE_H
#define OTTLA_OPENSSL_BRIDGE_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* What OpenSSL has as macros, or wants function pointers for, and Swift cannot call therefore. */

/* TLS 1.2 at least. 1 where that worked. */
int ottla_ssl_require_tls12(SSL_CTX *context);

/* Names the host in the greeting (SNI). 1 where that worked. */
int ottla_ssl_announce_host(SSL *connection, const char *host);

/* The passphrase of keys that are read from now on; null for none. `passphrase` must live as long as keys are read. Without this
   call OpenSSL would ask for one on the terminal. */
void ottla_ssl_use_passphrase(SSL_CTX *context, const char *passphrase);

#endif
