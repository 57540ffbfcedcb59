/* The file <program>._pth beside the program: it alone says what sys.path is,
 * and keeps the environment out. */
#include "runtime/config/config.h"
#include "runtime/fileutils.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cuts the comment and the white space around a line, in place. */
static char *
strip(char *line)
{
    static const char space[] = " \t\r\n\f\v";
    char *comment = strchr(line, '#');
    if (comment != NULL) {
        *comment = '\0';
    }
    line += strspn(line, space);
    size_t len = strlen(line);
    while (len > 0 && strchr(space, line[len - 1]) != NULL) {
        line[--len] = '\0';
    }
    return line;
}

/* Adds a directory, relative to `base` (with its slash). */
static PyStatus
add_path(PyConfig *config, const char *base, const char *path)
{
    char joined[2 * PATH_MAX];
    snprintf(joined, sizeof(joined), "%s%s", *path == '/' ? "" : base, path);
    wchar_t *text = Py_DecodeLocale(joined, NULL);
    if (text == NULL) {
        return PyStatus_NoMemory();
    }
    _Py_normpath(text, -1);
    PyStatus status =
        PyWideStringList_Append(&config->module_search_paths, text);
    PyMem_RawFree(text);
    return status;
}

static PyStatus
take_line(PyConfig *config, const char *base, const char *line)
{
    if (*line == '\0') {
        return PyStatus_Ok();
    }
    if (strcmp(line, "import site") == 0) {
        config->site_import = 1;
        return PyStatus_Ok();
    }
    if (strncmp(line, "import ", 7) == 0) {
        fprintf(stderr, "unsupported 'import' line in ._pth file\n");
        return PyStatus_Ok();
    }
    return add_path(config, base, line);
}

PyStatus
kr_config_read_pth(PyConfig *config, const char *program, int *found)
{
    char name[PATH_MAX], base[PATH_MAX];
    *found = 0;
    if (snprintf(name, sizeof(name), "%s._pth", program) >= PATH_MAX) {
        return PyStatus_Ok();
    }
    FILE *file = fopen(name, "r");
    if (file == NULL) {
        return PyStatus_Ok();
    }
    *found = 1;
    strcpy(base, program);
    char *slash = strrchr(base, '/');
    *(slash != NULL ? slash + 1 : base) = '\0';
    config->isolated = 1;
    config->use_environment = 0;
    config->site_import = 0;
    config->safe_path = 1;
    config->module_search_paths_set = 1;
    _PyWideStringList_Clear(&config->module_search_paths);
    PyStatus status = PyStatus_Ok();
    char *line = NULL;
    size_t room = 0;
    while (!PyStatus_Exception(status) && getline(&line, &room, file) >= 0) {
        status = take_line(config, base, strip(line));
    }
    free(line);
    fclose(file);
    return status;
}
