/* BLAKE2 for one word size (RFC 7693); WORD, NAME(), ROUNDS, BLOCK, IV and the
 * rotations R1..R4 are the including file's. */

struct NAME(state) {
    WORD h[8];
    WORD t[2]; /* bytes hashed, low word first */
    size_t used;
    uint8_t buf[BLOCK];
};

static inline WORD
NAME(load)(const uint8_t *p)
{
    WORD w = 0;
    for (size_t i = sizeof(WORD); i-- > 0;) {
        w = (WORD)(w << 8) | p[i];
    }
    return w;
}

static inline WORD
NAME(rotate)(WORD w, int n)
{
    return (WORD)(w >> n) | (WORD)(w << (8 * sizeof(WORD) - (size_t)n));
}

#define MIX(a, b, c, d, x, y)                                                  \
    do {                                                                       \
        v[a] += v[b] + (x);                                                    \
        v[d] = NAME(rotate)(v[d] ^ v[a], R1);                                  \
        v[c] += v[d];                                                          \
        v[b] = NAME(rotate)(v[b] ^ v[c], R2);                                  \
        v[a] += v[b] + (y);                                                    \
        v[d] = NAME(rotate)(v[d] ^ v[a], R3);                                  \
        v[c] += v[d];                                                          \
        v[b] = NAME(rotate)(v[b] ^ v[c], R4);                                  \
    } while (0)

static void
NAME(compress)(struct NAME(state) *s, const uint8_t *block, size_t n, WORD f0,
               WORD f1)
{
    WORD v[16], m[16];
    s->t[0] += (WORD)n;
    s->t[1] += s->t[0] < (WORD)n;
    for (int i = 0; i < 16; i++) {
        m[i] = NAME(load)(block + (size_t)i * sizeof(WORD));
        v[i] = i < 8 ? s->h[i] : IV[i - 8];
    }
    v[12] ^= s->t[0];
    v[13] ^= s->t[1];
    v[14] ^= f0;
    v[15] ^= f1;
    for (int r = 0; r < ROUNDS; r++) {
        const uint8_t *g = schedule[r % 10];
        MIX(0, 4, 8, 12, m[g[0]], m[g[1]]);
        MIX(1, 5, 9, 13, m[g[2]], m[g[3]]);
        MIX(2, 6, 10, 14, m[g[4]], m[g[5]]);
        MIX(3, 7, 11, 15, m[g[6]], m[g[7]]);
        MIX(0, 5, 10, 15, m[g[8]], m[g[9]]);
        MIX(1, 6, 11, 12, m[g[10]], m[g[11]]);
        MIX(2, 7, 8, 13, m[g[12]], m[g[13]]);
        MIX(3, 4, 9, 14, m[g[14]], m[g[15]]);
    }
    for (int i = 0; i < 8; i++) {
        s->h[i] ^= v[i] ^ v[i + 8];
    }
}

static void
NAME(begin)(struct NAME(state) *s, const uint8_t *params)
{
    memset(s, 0, sizeof(*s));
    for (int i = 0; i < 8; i++) {
        s->h[i] = IV[i] ^ NAME(load)(params + (size_t)i * sizeof(WORD));
    }
}

static void
NAME(update)(struct NAME(state) *s, const uint8_t *p, size_t n)
{
    while (n > 0) {
        if (s->used == BLOCK) { /* only once it is known not to be the last */
            NAME(compress)(s, s->buf, BLOCK, 0, 0);
            s->used = 0;
        }
        while (s->used == 0 && n > BLOCK) {
            NAME(compress)(s, p, BLOCK, 0, 0);
            p += BLOCK;
            n -= BLOCK;
        }
        size_t take = BLOCK - s->used < n ? BLOCK - s->used : n;
        memcpy(s->buf + s->used, p, take);
        s->used += take;
        p += take;
        n -= take;
    }
}

/* Ends a copy of the state; `out` gets sizeof(h) bytes. */
static void
NAME(finish)(struct NAME(state) s, bool last_node, uint8_t *out)
{
    memset(s.buf + s.used, 0, BLOCK - s.used);
    NAME(compress)(&s, s.buf, s.used, (WORD)-1, last_node ? (WORD)-1 : 0);
    for (size_t i = 0; i < sizeof(s.h); i++) {
        out[i] = (uint8_t)(s.h[i / sizeof(WORD)] >> 8 * (i % sizeof(WORD)));
    }
}

#undef MIX
