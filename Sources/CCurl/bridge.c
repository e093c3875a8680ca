#include "bridge.h"

#include <string.h>

CURLcode ottla_curl_set_text(CURL *handle, CURLoption option, const char *text) {
  return curl_easy_setopt(handle, option, text);
}

CURLcode ottla_curl_set_number(CURL *handle, CURLoption option, long number) {
  return curl_easy_setopt(handle, option, number);
}

CURLcode ottla_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *list) {
  return curl_easy_setopt(handle, option, list);
}

long ottla_curl_response_code(CURL *handle) {
  long code = 0;
  if (curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &code) != CURLE_OK) return 0;
  return code;
}

static size_t read_upload(char *buffer, size_t size, size_t count, void *context) {
  ottla_curl_upload *upload = context;
  size_t room = size * count;
  size_t left = upload->count - upload->sent;
  size_t taken = left < room ? left : room;
  memcpy(buffer, upload->bytes + upload->sent, taken);
  upload->sent += taken;
  return taken;
}

CURLcode ottla_curl_set_upload(CURL *handle, ottla_curl_upload *upload) {
  CURLcode code = curl_easy_setopt(handle, CURLOPT_READFUNCTION, read_upload);
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_READDATA, upload);
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
  return code;
}

CURLcode ottla_curl_set_error_buffer(CURL *handle, char *buffer) {
  return curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, buffer);
}
