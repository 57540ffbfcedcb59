/* The capsule of the module _curses.
   Not part of Python.h. Call import_curses() before anything else. */
#ifndef Py_PY_CURSES_H
#define Py_PY_CURSES_H

#ifndef NCURSES_OPAQUE
#define NCURSES_OPAQUE 0
#endif
#ifdef HAVE_NCURSES_H
#include <ncurses.h>
#else
#include <curses.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    PyObject_HEAD
    WINDOW *win;
    char *encoding;
} PyCursesWindowObject;

#define PyCurses_CAPSULE_NAME "_curses._C_API"
/* A type and three functions that tell what was initialised. */
#define PyCurses_API_pointers 4

#ifndef CURSES_MODULE
static void **PyCurses_API __attribute__((unused));

#define import_curses() \
    PyCurses_API = (void **)PyCapsule_Import(PyCurses_CAPSULE_NAME, 1)

#define PyCursesWindow_Type (*_PyType_CAST(PyCurses_API[0]))

/* Return NULL from the caller unless the step was done. */
#define kr_curses_need(i) \
    { \
        if (!((int (*)(void))PyCurses_API[(i)])()) { \
            return NULL; \
        } \
    }
#define PyCursesSetupTermCalled kr_curses_need(1)
#define PyCursesInitialised kr_curses_need(2)
#define PyCursesInitialisedColor kr_curses_need(3)
#endif

#define PyCursesWindow_Check(v) Py_IS_TYPE((v), &PyCursesWindow_Type)

#ifdef __cplusplus
}
#endif

#endif
