/* What the fuzz targets share: a runtime that is started once, without site,
 * environment or signal handlers, and counts what happened. */
#ifndef KR_FUZZ_FUZZ_H
#define KR_FUZZ_FUZZ_H

#include <Python.h>
#include <stddef.h>
#include <stdint.h>

/* Entry points of a target, as libFuzzer calls them; replay.c does, too. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Starts the runtime with `recursion_limit`, and with columns in the tables of
 * locations or without; exits on failure. */
void fuzz_start(int recursion_limit, int columns);

/* Ends one input: drops the pending exception, which must be an Exception that
 * is not SystemError about a broken contract (that aborts), and now and then
 * collects garbage. */
void fuzz_done(void);

#endif
