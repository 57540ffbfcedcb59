/* A main() for fuzz targets where libFuzzer isn't: runs files, and a fixed
 * number of changed copies of each.
 *
 *     replay_TARGET [-m COPIES] [-s SEED] FILE|FOLDER...
 *
 * The changes depend on the seed and the files alone. A crash tells which one it
 * was. */
#include "fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct text {
    uint8_t *data;
    size_t size;
};

struct replay {
    uint64_t random;
    int copies;
    unsigned long runs;
    struct text other; /* the file before, to take pieces from */
};

static uint64_t
next(struct replay *r)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return r->random;
}

static size_t
below(struct replay *r, size_t n)
{
    return n == 0 ? 0 : (size_t)(next(r) % n);
}

static struct text
read_file(const char *path)
{
    struct text t = {NULL, 0};
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        exit(2);
    }
    size_t room = 0, n;
    do {
        room += 1 << 16;
        t.data = realloc(t.data, room);
        n = fread(t.data + t.size, 1, room - t.size, f);
        t.size += n;
    } while (n > 0 && t.size == room);
    fclose(f);
    return t;
}

static struct text
copy_of(struct text from, size_t room)
{
    struct text t = {malloc(from.size + room + 1), from.size};
    memcpy(t.data, from.data, from.size);
    return t;
}

/* One change in place; there is room for 64 bytes more. */
static void
change(struct replay *r, struct text *t)
{
    size_t at = below(r, t->size), n = 1 + below(r, 8);
    switch (t->size == 0 ? 4 : below(r, 7)) {
        case 0:
            t->data[at] = (uint8_t)next(r);
            break;
        case 1:
            t->data[at] ^= (uint8_t)(1 << below(r, 8));
            break;
        case 2: /* cut out */
            n = n > t->size - at ? t->size - at : n;
            memmove(t->data + at, t->data + at + n, t->size - at - n);
            t->size -= n;
            break;
        case 3: /* cut off */
            t->size = at;
            break;
        case 4: /* from the other file */
            if (r->other.size > 8) {
                size_t from = below(r, r->other.size - 8);
                memmove(t->data + at + n, t->data + at, t->size - at);
                memcpy(t->data + at, r->other.data + from, n);
                t->size += n;
            }
            break;
        case 5: /* twice */
            n = n > t->size - at ? t->size - at : n;
            memmove(t->data + at + n, t->data + at, t->size - at);
            t->size += n;
            break;
        default:
            t->data[at] = below(r, 2) ? 0xff : 0;
    }
}

/* What runs, for the handler. */
static struct replay_state {
    const char *path;
    int copy;
    char text[4096];
} replay_state;

static void
on_crash(int number)
{
    ssize_t n = snprintf(replay_state.text, sizeof(replay_state.text),
                         "signal %d in %s, copy %d\n", number,
                         replay_state.path, replay_state.copy);
    n = write(2, replay_state.text, (size_t)n);
    signal(number, SIG_DFL);
    raise(number);
}

/* On a stack of its own, for when the other one is used up. */
static void
watch_crashes(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
    stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_handler = on_crash,
                               .sa_flags = SA_ONSTACK | SA_NODEFER};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        sigaction(numbers[i], &action, NULL);
    }
}

static void
run_file(struct replay *r, const char *path)
{
    struct text original = read_file(path);
    for (int i = 0; i <= r->copies; i++) {
        struct text t = copy_of(original, 256);
        size_t changes = i == 0 ? 0 : 1 + below(r, 4);
        for (size_t k = 0; k < changes; k++) {
            change(r, &t);
        }
        replay_state.path = path;
        replay_state.copy = i;
        LLVMFuzzerTestOneInput(t.data, t.size);
        r->runs++;
        free(t.data);
    }
    free(r->other.data);
    r->other = original;
}

static void
run_path(struct replay *r, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        run_file(r, path);
        return;
    }
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            char inside[4096];
            snprintf(inside, sizeof(inside), "%s/%s", path,
                     entries[i]->d_name);
            run_path(r, inside);
        }
        free(entries[i]);
    }
    free(n < 0 ? NULL : entries);
}

int
main(int argc, char **argv)
{
    struct replay r = {.random = 1};
    LLVMFuzzerInitialize(&argc, &argv);
    watch_crashes();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-m") == 0 && i + 1 < argc) {
            r.copies = atoi(argv[++i]);
        }
        else if (strcmp(argv[i], "-s") == 0 && i + 1 < argc) {
            r.random = 2 * strtoull(argv[++i], NULL, 10) + 1;
        }
        else {
            run_path(&r, argv[i]);
        }
    }
    free(r.other.data);
    printf("%lu runs\n", r.runs);
    return 0;
}
