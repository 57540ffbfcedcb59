/* An empty library with the soname of libpython: extension modules that were
 * linked against it find it loaded, and all its names in the program. */
extern int kr_shim_is_empty;
int kr_shim_is_empty = 1;
