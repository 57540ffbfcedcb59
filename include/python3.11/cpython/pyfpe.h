/* Brackets around floating-point code.
   They do nothing; old sources still have them. */
#ifndef Py_PYFPE_H
#define Py_PYFPE_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef Py_LIMITED_API
#define PyFPE_START_PROTECT(err_string, leave_stmt)
#define PyFPE_END_PROTECT(v)
#endif

#ifdef __cplusplus
}
#endif

#endif
