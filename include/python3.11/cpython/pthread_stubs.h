/* Thread functions for platforms that have none.
   All our platforms have threads: nothing is declared. */
#ifndef Py_CPYTHON_PTHREAD_STUBS_H
#define Py_CPYTHON_PTHREAD_STUBS_H

#endif
