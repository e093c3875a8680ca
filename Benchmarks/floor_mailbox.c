#define _GNU_SOURCE
#include "floor.h"
#include "measure.h"
#include <sys/eventfd.h>
#include <unistd.h>

void open_mailbox(mailbox_t *mailbox) {
  pthread_mutex_init(&mailbox->lock, NULL);
  mailbox->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (mailbox->event < 0) fail("eventfd");
}

void post(mailbox_t *mailbox, connection_t *connection) {
  pthread_mutex_lock(&mailbox->lock);
  if (mailbox->count == mailbox->capacity) {
    mailbox->capacity = mailbox->capacity ? 2 * mailbox->capacity : 64;
    mailbox->waiting = realloc(mailbox->waiting, mailbox->capacity * sizeof *mailbox->waiting);
    if (!mailbox->waiting) fail("out of memory");
  }
  mailbox->waiting[mailbox->count++] = connection;
  bool wake = mailbox->count == 1;
  pthread_mutex_unlock(&mailbox->lock);
  uint64_t one = 1;  // edge-triggered: the counter is never read, every write is an event
  if (wake && write(mailbox->event, &one, sizeof one) != sizeof one) fail("eventfd write");
}

size_t collect(mailbox_t *mailbox, connection_t ***taken, size_t *taken_capacity) {
  connection_t **empty = *taken;
  size_t empty_capacity = *taken_capacity;
  pthread_mutex_lock(&mailbox->lock);
  size_t count = mailbox->count;
  *taken = mailbox->waiting;
  *taken_capacity = mailbox->capacity;
  mailbox->waiting = empty;
  mailbox->capacity = empty_capacity;
  mailbox->count = 0;
  pthread_mutex_unlock(&mailbox->lock);
  return count;
}
