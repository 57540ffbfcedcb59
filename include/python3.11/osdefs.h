/* File names of the operating system.
   Separators are wide characters. */
#ifndef Py_OSDEFS_H
#define Py_OSDEFS_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef MAXPATHLEN
#ifdef PATH_MAX
#define MAXPATHLEN PATH_MAX
#else
#define MAXPATHLEN 1024
#endif
#endif

#ifndef SEP
#define SEP L'/'
#endif
#ifndef DELIM
#define DELIM L':'
#endif

#ifdef __cplusplus
}
#endif

#endif
