/* What the sanitizers' builds do unless ASAN_OPTIONS or UBSAN_OPTIONS say
 * otherwise. It is part of the program because tests start it in environments
 * of their own. */

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

/* Signals are the program's own: faulthandler's, and those of tests that die on
 * purpose. */
#define COMMON "handle_segv=0:handle_sigbus=0:handle_sigfpe=0"

/* What is alive at the end is no leak: interned names, static types' tables
 * and whatever a module keeps live as long as the process. An allocation that
 * cannot be is MemoryError. */
const char *
__asan_default_options(void)
{
    return COMMON ":detect_leaks=0:allocator_may_return_null=1";
}

/* A report ends the program, so that a test fails in which there is one. */
const char *
__ubsan_default_options(void)
{
    return COMMON ":halt_on_error=1:print_stacktrace=1";
}
