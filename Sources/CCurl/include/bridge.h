#ifndef OTTLA_CURL_BRIDGE_H
#define OTTLA_CURL_BRIDGE_H

#include <curl/curl.h>
#include <stddef.h>

/* Swift imports no variadic function: curl_easy_setopt and curl_easy_getinfo, for one type of value each. */
CURLcode ottla_curl_set_text(CURL *handle, CURLoption option, const char *text);
CURLcode ottla_curl_set_number(CURL *handle, CURLoption option, long number);
CURLcode ottla_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *list);
/* What the last answer of the server began with: 0 where there was none. */
long ottla_curl_response_code(CURL *handle);

/* Bytes to send, and how many of them went; both outlive the transfer. */
typedef struct ottla_curl_upload {
  const char *bytes;
  size_t count;
  size_t sent;
} ottla_curl_upload;

/* Lets the transfer send `upload`. */
CURLcode ottla_curl_set_upload(CURL *handle, ottla_curl_upload *upload);
/* Gives the library a buffer of CURL_ERROR_SIZE bytes for its sentences; NULL takes it away. */
CURLcode ottla_curl_set_error_buffer(CURL *handle, char *buffer);

#endif
