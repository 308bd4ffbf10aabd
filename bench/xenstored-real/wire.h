/*
 * XenStore's wire protocol for client.c: requests gather in `out` until they are flushed, answers and events are taken as they come, and any error
 * of the daemon's is the end.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { XS_DIRECTORY = 1, XS_READ = 2, XS_WATCH = 4, XS_TRANSACTION_START = 6, XS_TRANSACTION_END = 7, XS_WRITE = 11, XS_WATCH_EVENT = 15, XS_ERROR = 16 };

struct header {
    uint32_t type, req_id, tx_id, len;
};

#define PAYLOAD_MAX 4096
#define OUT_BYTES 16384
#define CONNECTIONS 16

struct connection {
    int fd;
    /* What has come and was not looked at yet. */
    char in[4 * PAYLOAD_MAX];
    size_t from, to;
    unsigned events;
};

static const char *path;
static struct connection connections[CONNECTIONS];
static unsigned opened;
static char out[OUT_BYTES];
static size_t out_bytes;
/* The last answer's. */
static char payload[PAYLOAD_MAX + 1];

static void fail(const char *why)
{
    fprintf(stderr, "client: %s\n", why);
    exit(1);
}

static struct connection *connected(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct connection *c = &connections[opened++];
    memset(c, 0, sizeof(*c));
    c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail("nobody listens");
    return c;
}

static void add(uint32_t type, uint32_t tx, const char *text, size_t length)
{
    struct header header = {.type = type, .tx_id = tx, .len = (uint32_t)length};
    memcpy(out + out_bytes, &header, sizeof(header));
    memcpy(out + out_bytes + sizeof(header), text, length);
    out_bytes += sizeof(header) + length;
}

static void flush(struct connection *c)
{
    for (size_t done = 0; done < out_bytes;) {
        ssize_t n = write(c->fd, out + done, out_bytes - done);
        if (n <= 0)
            fail("cannot write");
        done += (size_t)n;
    }
    out_bytes = 0;
}

/* The next message: its type; an answer's payload is kept. */
static uint32_t message(struct connection *c)
{
    struct header header;
    for (;;) {
        size_t have = c->to - c->from;
        if (have >= sizeof(header)) {
            memcpy(&header, c->in + c->from, sizeof(header));
            if (header.len > PAYLOAD_MAX)
                fail("a message that is too long");
            if (have >= sizeof(header) + header.len)
                break;
        }
        if (c->from > 0) {
            memmove(c->in, c->in + c->from, have);
            c->from = 0;
            c->to = have;
        }
        ssize_t n = read(c->fd, c->in + c->to, sizeof(c->in) - c->to);
        if (n <= 0)
            fail("the daemon has gone");
        c->to += (size_t)n;
    }
    if (header.type != XS_WATCH_EVENT) {
        memcpy(payload, c->in + c->from + sizeof(header), header.len);
        payload[header.len] = 0;
    }
    c->from += sizeof(header) + header.len;
    if (header.type == XS_ERROR)
        fail(payload);
    return header.type;
}

static void answer(struct connection *c)
{
    while (message(c) == XS_WATCH_EVENT)
        c->events++;
}

static void event(struct connection *c)
{
    if (c->events > 0)
        c->events--;
    else if (message(c) != XS_WATCH_EVENT)
        fail("an answer, and no event");
}

static void talk(struct connection *c)
{
    flush(c);
    answer(c);
}

static uint32_t start(struct connection *c)
{
    add(XS_TRANSACTION_START, 0, "", 1);
    talk(c);
    return (uint32_t)strtoul(payload, NULL, 10);
}

static void end(struct connection *c, uint32_t tx)
{
    add(XS_TRANSACTION_END, tx, "T", 2);
    talk(c);
}

static void watch(struct connection *c, const char *node, const char *token)
{
    char text[96];
    int n = snprintf(text, sizeof(text), "%s%c%s", node, 0, token);
    add(XS_WATCH, 0, text, (size_t)n + 1);
    talk(c);
    event(c);
}
