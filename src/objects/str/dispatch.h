/* Names of encodings. */
#ifndef KR_OBJECTS_STR_DISPATCH_H
#define KR_OBJECTS_STR_DISPATCH_H

#include <stddef.h>

/* Lower case, with one '_' for each run of punctuation; 0 if it does not fit
 * into `size` bytes. */
int kr_normalize_encoding(const char *encoding, char *lower, size_t size);

#endif
