/* Interrupts and forks.
   Call the fork functions around fork(), AfterFork in one process only. */
#ifndef Py_INTRCHECK_H
#define Py_INTRCHECK_H

#ifdef __cplusplus
extern "C" {
#endif

/* Interrupts, forks. */
Py_DEPRECATED(3.7) PyAPI_FUNC(void) PyOS_AfterFork(void);
PyAPI_FUNC(int) PyOS_InterruptOccurred(void);

#if !defined(Py_LIMITED_API) || Py_LIMITED_API + 0 >= 0x03070000
/* Interrupts, forks. */
PyAPI_FUNC(void) PyOS_AfterFork_Child(void);
PyAPI_FUNC(void) PyOS_AfterFork_Parent(void);
PyAPI_FUNC(void) PyOS_BeforeFork(void);
#endif

#ifndef Py_LIMITED_API
/* Interrupts, forks. */
PyAPI_FUNC(int) _PyOS_IsMainThread(void);
#endif

#ifdef __cplusplus
}
#endif

#endif
