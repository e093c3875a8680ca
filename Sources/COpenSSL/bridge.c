#include "ottla_openssl.h"

#include <string.h>

int ottla_ssl_require_tls12(SSL_CTX *context) { return (int)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION); }

int ottla_ssl_announce_host(SSL *connection, const char *host) {
  return (int)SSL_set_tlsext_host_name(connection, host);
}

static int passphrase_callback(char *buffer, int size, int writing, void *passphrase) {
  (void)writing;
  if (passphrase == NULL) return 0;
  size_t length = strlen(passphrase);
  if (length > (size_t)size) return 0;
  memcpy(buffer, passphrase, length);
  return (int)length;
}

void ottla_ssl_use_passphrase(SSL_CTX *context, const char *passphrase) {
  SSL_CTX_set_default_passwd_cb(context, passphrase_callback);
  SSL_CTX_set_default_passwd_cb_userdata(context, (void *)passphrase);
}
