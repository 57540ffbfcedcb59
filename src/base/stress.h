/* The stress build, `make stress`: what rarely happens happens all the time, so
 * that a reference that nobody holds, or a pointer into what has moved, is met
 * by the first test that could meet it. Other builds compile this to nothing.
 *
 * Each block of memory is one of malloc's (the build has AddressSanitizer), as
 * is each frame of the data stack and each request to the front end's arenas.
 * The collector runs whenever an object is made, code is specialised at its
 * first run, and caches have a few entries only. */
#ifndef KR_BASE_STRESS_H
#define KR_BASE_STRESS_H

#ifdef KR_STRESS_BUILD
#define KR_STRESS 1
#else
#define KR_STRESS 0
#endif

/* A number that the stress build wants another way. */
#define KR_IN_STRESS(stressed, ordinary) (KR_STRESS ? (stressed) : (ordinary))

#endif
