/*
 * A client of xenstored's that does one kind of work at a time: what src/testing/dom0/xsbench.ts does inside the simulated host, for a real daemon's
 * socket. It reads lines `WORK COUNT` and prints `done NANOSECONDS` after each; COUNT 0 only prepares.
 */
#include <time.h>
#include "wire.h"

#define TOP "/bench"
#define DIR TOP "/dir"
#define FOLDERS 110
#define KEYS 9
#define PIPELINED 32
#define TRANSACTION_WRITES 10
#define UNRELATED 100
#define LISTENERS 10
#define WATCHES_EACH 10

static void add_read(uint32_t tx, unsigned i)
{
    char text[64];
    int n = snprintf(text, sizeof(text), DIR "/n%u/k%u", i % FOLDERS, i / FOLDERS % KEYS);
    add(XS_READ, tx, text, (size_t)n + 1);
}

static void add_value(uint32_t tx, const char *to, unsigned i)
{
    char text[96];
    int n = snprintf(text, sizeof(text), "%s%cvalue-%u", to, 0, 1000000 + i);
    add(XS_WRITE, tx, text, (size_t)n);
}

static void add_write(uint32_t tx, unsigned at, unsigned i)
{
    char text[64];
    snprintf(text, sizeof(text), DIR "/n%u/k%u", at % FOLDERS, at / FOLDERS % KEYS);
    add_value(tx, text, i);
}

/* One piece of each work. */

static void read_one(unsigned i)
{
    add_read(0, i);
    talk(connections);
}

static void write_one(unsigned i)
{
    add_write(0, i, i);
    talk(connections);
}

static void list_one(unsigned i)
{
    (void)i;
    add(XS_DIRECTORY, 0, DIR, sizeof(DIR));
    talk(connections);
}

static void transaction(unsigned i)
{
    uint32_t tx = start(connections);
    add_read(tx, i);
    talk(connections);
    add_write(tx, i + 1, i);
    talk(connections);
    end(connections, tx);
}

static void long_transaction(unsigned i)
{
    uint32_t tx = start(connections);
    for (unsigned k = 0; k < TRANSACTION_WRITES; k++) {
        add_write(tx, i + k, i);
        talk(connections);
    }
    end(connections, tx);
}

static void answers(unsigned count)
{
    flush(connections);
    while (count-- > 0)
        answer(connections);
}

static void read_batch(unsigned from)
{
    for (unsigned i = 0; i < PIPELINED; i++)
        add_read(0, from + i);
    answers(PIPELINED);
}

static void write_batch(unsigned from)
{
    for (unsigned i = 0; i < PIPELINED; i++)
        add_write(0, from + i, from + i);
    answers(PIPELINED);
}

/* Started with the end of the one before. */
static uint32_t next_tx;

static void prepare_pipelined_transactions(void)
{
    next_tx = start(connections);
}

static void pipelined_transaction(unsigned i)
{
    add_read(next_tx, i);
    add_write(next_tx, i + 1, i);
    add(XS_TRANSACTION_END, next_tx, "T", 2);
    add(XS_TRANSACTION_START, 0, "", 1);
    answers(4);
    next_tx = (uint32_t)strtoul(payload, NULL, 10);
}

static void prepare_watched(void)
{
    watch(connections, TOP "/own", "own");
}

static void watched_write(unsigned i)
{
    add_value(0, TOP "/own", i);
    talk(connections);
    event(connections);
}

static void prepare_beside(void)
{
    struct connection *other = connected();
    char node[64], token[32];
    for (unsigned i = 0; i < UNRELATED; i++) {
        snprintf(node, sizeof(node), TOP "/other/%u", i);
        snprintf(token, sizeof(token), "other %u", i);
        watch(other, node, token);
    }
}

static void prepare_fan(void)
{
    char token[32];
    add_value(0, TOP "/fan", 0);
    talk(connections);
    for (unsigned l = 0; l < LISTENERS; l++) {
        struct connection *c = connected();
        for (unsigned k = 0; k < WATCHES_EACH; k++) {
            snprintf(token, sizeof(token), "fan %u", k);
            watch(c, TOP "/fan", token);
        }
    }
}

static void fan_out(unsigned i)
{
    add_value(0, TOP "/fan", i);
    talk(connections);
    for (unsigned l = 1; l <= LISTENERS; l++)
        for (unsigned k = 0; k < WATCHES_EACH; k++)
            event(connections + l);
}

static void nothing(void)
{
}

static const struct {
    const char *name;
    void (*prepare)(void);
    void (*one)(unsigned i);
    /* What it counts for. */
    unsigned step;
} works[] = {
    {"reads", nothing, read_one, 1},
    {"writes", nothing, write_one, 1},
    {"directories", nothing, list_one, 1},
    {"transactions", nothing, transaction, 1},
    {"long-transactions", nothing, long_transaction, 1},
    {"pipelined-reads", nothing, read_batch, PIPELINED},
    {"pipelined-writes", nothing, write_batch, PIPELINED},
    {"pipelined-transactions", prepare_pipelined_transactions, pipelined_transaction, 1},
    {"watched-writes", prepare_watched, watched_write, 1},
    {"writes-beside-watches", prepare_beside, write_one, 1},
    {"fan-out", prepare_fan, fan_out, 1},
};

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
    char name[32], current[32] = "";
    unsigned count;
    if (argc != 2)
        fail("the socket's path, please");
    path = argv[1];
    connected();
    for (unsigned i = 0; i < FOLDERS * KEYS; i++)
        write_one(i);
    while (scanf("%31s %u", name, &count) == 2) {
        size_t w = 0;
        while (w < sizeof(works) / sizeof(*works) && strcmp(works[w].name, name) != 0)
            w++;
        if (w == sizeof(works) / sizeof(*works))
            fail(name);
        if (strcmp(name, current) != 0) {
            while (opened > 0)
                close(connections[--opened].fd);
            connected();
            works[w].prepare();
            strcpy(current, name);
        }
        int64_t from = now();
        for (unsigned i = 0; i < count; i += works[w].step)
            works[w].one(i);
        printf("done %lld\n", (long long)(now() - from));
        fflush(stdout);
    }
    return 0;
}
