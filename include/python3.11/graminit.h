/* Start symbols of the former grammar tables, kept for old sources.
   New code takes Py_file_input and its kin of compile.h. */
#ifndef Py_GRAMINIT_H
#define Py_GRAMINIT_H

#ifdef __cplusplus
extern "C" {
#endif

#define single_input 256
#define file_input 257
#define eval_input 258
#define func_type_input 345

#ifdef __cplusplus
}
#endif

#endif
