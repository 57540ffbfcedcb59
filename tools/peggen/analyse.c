/* Which rules can match nothing, and which tokens can they start with? Both by
 * iterating to a fixed point. */
#include <string.h>

#include "peggen.h"

static int soft_token = 1; /* NAME */

static bool
item_nullable(const struct item *item)
{
    switch (item->kind) {
    case ITEM_RULE:
        return rules[item->rule].nullable;
    case ITEM_REPEAT:
        return item->min == 0 || rules[item->rule].nullable;
    case ITEM_OPTIONAL:
    case ITEM_AHEAD:
    case ITEM_NOT_AHEAD:
    case ITEM_CUT:
        return true;
    default:
        return false;
    }
}

static void
add_token(struct set *s, int token)
{
    if (token < 64) {
        s->lo |= 1ull << token;
    }
    else {
        s->hi |= 1ull << (token - 64);
    }
}

static struct set
item_first(const struct item *item)
{
    struct set s = {0, 0};
    switch (item->kind) {
    case ITEM_TOKEN:
        add_token(&s, item->token);
        break;
    case ITEM_SOFT:
        add_token(&s, soft_token);
        break;
    case ITEM_RULE:
    case ITEM_REPEAT:
    case ITEM_GATHER:
        return rules[item->rule].first;
    case ITEM_OPTIONAL:
        return item_first(item->inner);
    case ITEM_FORCED:
        /* It raises, so it must be tried whatever follows. */
        return (struct set){~0ull, ~0ull};
    default:
        break;
    }
    return s;
}

bool
alt_nullable(const struct alt *alt)
{
    for (int i = 0; i < alt->nitems; i++) {
        if (!item_nullable(&alt->items[i])) {
            return false;
        }
    }
    return true;
}

struct set
alt_first(const struct alt *alt)
{
    struct set s = {0, 0};
    for (int i = 0; i < alt->nitems; i++) {
        struct set t = item_first(&alt->items[i]);
        s.lo |= t.lo;
        s.hi |= t.hi;
        if (!item_nullable(&alt->items[i])) {
            break;
        }
    }
    return s;
}

bool
left_recursive(const struct rule *rule, const struct alt *alt)
{
    return alt->nitems > 0 && alt->items[0].kind == ITEM_RULE &&
           &rules[alt->items[0].rule] == rule;
}

static bool
update(struct rule *rule)
{
    struct set first = rule->first;
    bool nullable = rule->nullable;
    if (rule->first_like != NULL) {
        for (int i = 0; i < nrules; i++) {
            if (strcmp(rules[i].name, rule->first_like) == 0) {
                first = rules[i].first;
            }
        }
    }
    for (int i = 0; i < rule->nalts; i++) {
        struct set t = alt_first(&rule->alts[i]);
        first.lo |= t.lo;
        first.hi |= t.hi;
        nullable |= alt_nullable(&rule->alts[i]);
    }
    bool changed = first.lo != rule->first.lo || first.hi != rule->first.hi ||
                   nullable != rule->nullable;
    rule->first = first;
    rule->nullable = nullable;
    return changed;
}

void
analyse(void)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < nrules; i++) {
            changed |= update(&rules[i]);
        }
    }
}
