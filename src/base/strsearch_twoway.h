/* Template of the two-way string matching algorithm (Crochemore and Perrin):
 * linear time, constant space. Included by strsearch.c with CHAR, NAME(x) and
 * AT(array, length, index) defined; the last one hides the direction. */

/* Start of the maximal suffix of the needle and its period, for one of the
 * two orders of the alphabet. */
static ssize_t
NAME(maximal_suffix)(const CHAR *p, ssize_t m, ssize_t *period, int inverted)
{
    ssize_t suffix = -1, j = 0, k = 1, per = 1;
    while (j + k < m) {
        CHAR a = AT(p, m, j + k), b = AT(p, m, suffix + k);
        if (inverted ? a > b : a < b) {
            j += k;
            k = 1;
            per = j - suffix;
        }
        else if (a == b) {
            if (k != per) {
                k++;
            }
            else {
                j += per;
                k = 1;
            }
        }
        else {
            suffix = j++;
            k = per = 1;
        }
    }
    *period = per;
    return suffix + 1;
}

static ssize_t
NAME(two_way_periodic)(const CHAR *s, ssize_t n, const CHAR *p, ssize_t m,
                       ssize_t cut, ssize_t period)
{
    ssize_t memory = 0, j = 0;
    while (j <= n - m) {
        ssize_t i = cut > memory ? cut : memory;
        while (i < m && AT(p, m, i) == AT(s, n, i + j)) {
            i++;
        }
        if (i < m) {
            j += i - cut + 1;
            memory = 0;
            continue;
        }
        i = cut - 1;
        while (i >= memory && AT(p, m, i) == AT(s, n, i + j)) {
            i--;
        }
        if (i < memory) {
            return j;
        }
        j += period;
        memory = m - period;
    }
    return -1;
}

static ssize_t
NAME(two_way)(const CHAR *s, ssize_t n, const CHAR *p, ssize_t m)
{
    ssize_t period, other;
    ssize_t cut = NAME(maximal_suffix)(p, m, &period, 0);
    ssize_t cut2 = NAME(maximal_suffix)(p, m, &other, 1);
    if (cut2 > cut) {
        cut = cut2;
        period = other;
    }
    ssize_t i = 0;
    while (i < cut && i + period < m && AT(p, m, i) == AT(p, m, i + period)) {
        i++;
    }
    if (i == cut) {
        return NAME(two_way_periodic)(s, n, p, m, cut, period);
    }
    period = (cut > m - cut ? cut : m - cut) + 1;
    for (ssize_t j = 0; j <= n - m;) {
        i = cut;
        while (i < m && AT(p, m, i) == AT(s, n, i + j)) {
            i++;
        }
        if (i < m) {
            j += i - cut + 1;
            continue;
        }
        i = cut - 1;
        while (i >= 0 && AT(p, m, i) == AT(s, n, i + j)) {
            i--;
        }
        if (i < 0) {
            return j;
        }
        j += period;
    }
    return -1;
}
