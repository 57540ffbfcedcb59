/* Where things are: the executable, the prefixes and sys.path.
 *
 * The library is looked for at PYTHONHOME, else beside the executable
 * (bin/krait -> lib/python3.11) or libpython3.11.so, else at its place at
 * build time. In a
 * virtual environment pyvenv.cfg names the home of the base installation. */
#include "runtime/config/config.h"

#include "memory/tstate.h"
#include "objects/interp.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIB "lib/python3.11"

static int
is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int
is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Cuts the last component off, in place. */
static void
parent(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        path[0] = '\0';
    }
    else if (slash == path) {
        path[1] = '\0';
    }
    else {
        *slash = '\0';
    }
}

static void
join(char *out, const char *dir, const char *name)
{
    size_t len = strlen(dir);
    snprintf(out, PATH_MAX, "%s%s%s", dir,
             len > 0 && dir[len - 1] == '/' ? "" : "/", name);
}

/* Full path of the running program, from its name and PATH. */
static void
find_executable(const char *name, char *out)
{
    if (strchr(name, '/') != NULL) {
        if (name[0] == '/') {
            snprintf(out, PATH_MAX, "%s", name);
        }
        else {
            char cwd[PATH_MAX];
            if (getcwd(cwd, sizeof(cwd)) == NULL) {
                cwd[0] = '\0';
            }
            while (strncmp(name, "./", 2) == 0) {
                name += 2;
            }
            join(out, cwd, name);
        }
        return;
    }
    const char *path = getenv("PATH");
    for (const char *p = path; p != NULL && *name != '\0';) {
        const char *end = strchrnul(p, ':');
        char dir[PATH_MAX];
        snprintf(dir, sizeof(dir), "%.*s", (int)(end - p), p);
        join(out, dir, name);
        if (is_file(out) && access(out, X_OK) == 0) {
            return;
        }
        p = *end == ':' ? end + 1 : NULL;
    }
    out[0] = '\0';
}

/* Value of a key of pyvenv.cfg beside or above `dir`: 1 when found. */
static int
read_pyvenv(const char *exe_dir, const char *key, char *out, char *venv)
{
    char file[PATH_MAX], dir[PATH_MAX];
    snprintf(dir, sizeof(dir), "%s", exe_dir);
    FILE *f = NULL;
    for (int i = 0; i < 2 && f == NULL; i++) {
        join(file, dir, "pyvenv.cfg");
        f = fopen(file, "r");
        if (f == NULL && i == 0) {
            parent(dir);
        }
    }
    if (f == NULL) {
        return 0;
    }
    snprintf(venv, PATH_MAX, "%s", dir);
    char line[PATH_MAX];
    int found = 0;
    while (!found && fgets(line, sizeof(line), f) != NULL) {
        char *eq = strchr(line, '=');
        if (eq == NULL) {
            continue;
        }
        char *end = eq;
        while (end > line && end[-1] == ' ') {
            end--;
        }
        char *value = eq + 1 + strspn(eq + 1, " \t");
        value[strcspn(value, "\r\n")] = '\0';
        size_t len = (size_t)(end - line);
        if (len == strlen(key) && strncasecmp(line, key, len) == 0) {
            snprintf(out, PATH_MAX, "%s", value);
            found = 1;
        }
    }
    fclose(f);
    return found;
}

/* Whether the library is below `prefix`. */
static int
has_library(const char *prefix)
{
    char path[PATH_MAX];
    join(path, prefix, LIB "/os.py");
    return is_file(path);
}

/* Finds the prefix of the library, from the folder of the executable. */
static void
find_prefix(const char *exe_dir, char *prefix)
{
    snprintf(prefix, PATH_MAX, "%s", exe_dir);
    for (int i = 0; i < 8 && strlen(prefix) > 1; i++) {
        if (has_library(prefix)) {
            return;
        }
        parent(prefix);
    }
    snprintf(prefix, PATH_MAX, "%s", KR_STDLIB);
    parent(prefix);
    parent(prefix);
}

int
kr_own_library(char *file)
{
    Dl_info info;
    struct link_map *map;
    return dladdr1((void *)kr_own_library, &info, (void **)&map,
                   RTLD_DL_LINKMAP) != 0
           && map->l_name[0] != '\0' && realpath(map->l_name, file) != NULL;
}

static PyStatus
set_bytes(PyConfig *config, wchar_t **target, const char *value)
{
    return *target != NULL ? PyStatus_Ok()
                           : PyConfig_SetBytesString(config, target, value);
}

struct layout {
    char executable[PATH_MAX];
    char base_executable[PATH_MAX];
    char prefix[PATH_MAX];      /* of the virtual environment, if any */
    char base_prefix[PATH_MAX]; /* of the library */
    char stdlib[PATH_MAX];
    char real[PATH_MAX]; /* where the runtime is, without links; may be empty */
};

static char *
encode(const wchar_t *text)
{
    return text == NULL ? NULL : Py_EncodeLocale(text, NULL);
}

static void
find_layout(const PyConfig *config, const char *home, struct layout *l)
{
    char home_value[PATH_MAX], venv[PATH_MAX] = "";
    char *executable = encode(config->executable);
    if (executable != NULL) {
        snprintf(l->executable, PATH_MAX, "%s", executable);
        PyMem_Free(executable);
    }
    else {
        char *name = encode(config->program_name);
        find_executable(name != NULL ? name : "krait", l->executable);
        PyMem_Free(name);
    }
    if (!kr_own_library(l->real) && realpath(l->executable, l->real) == NULL) {
        l->real[0] = '\0';
    }
    snprintf(l->base_executable, PATH_MAX, "%s", l->executable);
    char exe_dir[PATH_MAX];
    snprintf(exe_dir, sizeof(exe_dir), "%s", l->executable);
    parent(exe_dir);
    if (home == NULL && exe_dir[0] != '\0' &&
        read_pyvenv(exe_dir, "home", home_value, venv)) {
        const char *name = strrchr(l->executable, '/');
        join(l->base_executable, home_value, name != NULL ? name + 1 : "");
        if (l->real[0] != '\0' && !is_file(l->base_executable)) {
            snprintf(l->base_executable, PATH_MAX, "%s", l->real);
        }
        snprintf(exe_dir, sizeof(exe_dir), "%s", home_value);
    }
    if (home != NULL) {
        snprintf(l->base_prefix, PATH_MAX, "%s", home);
    }
    else {
        /* through links, to where the program really is */
        if (l->real[0] != '\0' && venv[0] == '\0') {
            snprintf(exe_dir, sizeof(exe_dir), "%s", l->real);
            parent(exe_dir);
        }
        find_prefix(exe_dir, l->base_prefix);
    }
    (void)venv;
    snprintf(l->prefix, PATH_MAX, "%s", l->base_prefix);
    join(l->stdlib, l->base_prefix, LIB);
}

static PyStatus
append_bytes(PyConfig *config, const char *path)
{
    wchar_t *text = Py_DecodeLocale(path, NULL);
    if (text == NULL) {
        return PyStatus_NoMemory();
    }
    PyStatus status =
        PyWideStringList_Append(&config->module_search_paths, text);
    PyMem_RawFree(text);
    return status;
}

/* Appends the parts of a search path, which colons separate. */
static PyStatus
append_split(PyConfig *config, const wchar_t *p)
{
    PyStatus status = PyStatus_Ok();
    while (p != NULL && !PyStatus_Exception(status)) {
        const wchar_t *end = wcschr(p, L':');
        size_t len = end != NULL ? (size_t)(end - p) : wcslen(p);
        wchar_t *item = PyMem_RawMalloc((len + 1) * sizeof(wchar_t));
        if (item == NULL) {
            return PyStatus_NoMemory();
        }
        wmemcpy(item, p, len);
        item[len] = L'\0';
        status = PyWideStringList_Append(&config->module_search_paths, item);
        PyMem_RawFree(item);
        p = end != NULL ? end + 1 : NULL;
    }
    return status;
}

/* Finds the modules of ours that need other libraries: beside the program or
 * library when it is installed, or below the prefix, else where the build put
 * them. */
static int
find_extension_dir(const struct layout *l, char *path)
{
    if (l->real[0] != '\0') {
        char dir[PATH_MAX];
        snprintf(dir, sizeof(dir), "%s", l->real);
        parent(dir);
        join(path, dir, "../lib/krait/lib-dynload");
        if (is_directory(path)) {
            return 1;
        }
    }
    join(path, l->base_prefix, "lib/krait/lib-dynload");
    if (is_directory(path)) {
        return 1;
    }
    snprintf(path, PATH_MAX, "%s", KR_EXTENSION_DIR);
    return is_directory(path);
}

/* They come before the library's own lib-dynload. */
static PyStatus
insert_extension_dir(PyConfig *config, const struct layout *l)
{
    char path[PATH_MAX];
    if (!find_extension_dir(l, path)) {
        return PyStatus_Ok();
    }
    wchar_t *text = Py_DecodeLocale(path, NULL);
    if (text == NULL) {
        return PyStatus_NoMemory();
    }
    PyStatus status = PyWideStringList_Insert(
        &config->module_search_paths, config->module_search_paths.length - 1,
        text);
    PyMem_RawFree(text);
    return status;
}

static PyStatus
set_search_paths(PyConfig *config, const struct layout *l)
{
    if (config->module_search_paths_set) {
        return PyStatus_Ok();
    }
    char path[PATH_MAX];
    PyStatus status = append_split(config, config->pythonpath_env);
    if (!PyStatus_Exception(status)) {
        join(path, l->base_prefix, "lib/python311.zip");
        status = append_bytes(config, path);
    }
    if (!PyStatus_Exception(status)) {
        status = append_bytes(config, l->stdlib);
    }
    if (!PyStatus_Exception(status)) {
        join(path, l->stdlib, "lib-dynload");
        status = append_bytes(config, path);
    }
    if (!PyStatus_Exception(status)) {
        status = insert_extension_dir(config, l);
    }
    config->module_search_paths_set = 1;
    return status;
}

/* Fills the places that are not set. A base that is not set is the place that
 * was set, if one was. */
static PyStatus
set_places(PyConfig *config, const struct layout *l)
{
    const struct {
        wchar_t **target;
        const wchar_t *given;
        const char *found;
    } values[] = {
        {&config->base_executable, config->executable, l->base_executable},
        {&config->base_prefix, config->prefix, l->base_prefix},
        {&config->base_exec_prefix, config->exec_prefix, l->base_prefix},
        {&config->executable, NULL, l->executable},
        {&config->prefix, NULL, l->prefix},
        {&config->exec_prefix, NULL, l->prefix},
        {&config->stdlib_dir, NULL, l->stdlib},
    };
    PyStatus status = PyStatus_Ok();
    for (size_t i = 0; i < sizeof(values) / sizeof(*values) &&
                       !PyStatus_Exception(status);
         i++) {
        if (*values[i].target == NULL && values[i].given != NULL) {
            status = PyConfig_SetString(config, values[i].target,
                                        values[i].given);
        }
        else {
            status = set_bytes(config, values[i].target, values[i].found);
        }
    }
    return status;
}

/* A file beside the program may say what counts; then PYTHONHOME does not. */
static PyStatus
use_pth_file(PyConfig *config, struct layout *l)
{
    int found;
    PyStatus status = kr_config_read_pth(config, l->executable, &found);
    if (!PyStatus_Exception(status) && found && config->home != NULL) {
        PyMem_RawFree(config->home);
        config->home = NULL;
        find_layout(config, NULL, l);
    }
    return status;
}

PyStatus
kr_config_read_paths(PyConfig *config)
{
    int failed;
    PyStatus status = PyStatus_Ok();
    if (config->program_name == NULL) {
        status = PyConfig_SetString(config, &config->program_name, L"krait");
    }
    int home_is_set = config->home != NULL;
    if (!PyStatus_Exception(status) && config->home == NULL) {
        config->home = kr_config_env(config, "PYTHONHOME", &failed);
    }
    if (!PyStatus_Exception(status) && config->pythonpath_env == NULL) {
        config->pythonpath_env = kr_config_env(config, "PYTHONPATH", &failed);
    }
    if (!PyStatus_Exception(status) && config->platlibdir == NULL) {
        status = PyConfig_SetString(config, &config->platlibdir, L"lib");
    }
    if (PyStatus_Exception(status)) {
        return status;
    }
    struct layout *l = PyMem_RawCalloc(1, sizeof(*l));
    if (l == NULL) {
        return PyStatus_NoMemory();
    }
    char *home = encode(config->home);
    find_layout(config, home, l);
    PyMem_Free(home);
    if (!home_is_set && !config->module_search_paths_set) {
        status = use_pth_file(config, l);
    }
    if (!PyStatus_Exception(status)) {
        status = set_places(config, l);
    }
    if (!PyStatus_Exception(status)) {
        status = set_search_paths(config, l);
    }
    PyMem_RawFree(l);
    return status;
}

/* --- The old API of paths ------------------------------------------------ */

static struct kr_path_state {
    wchar_t *program_name, *program_full_path, *home;
    wchar_t *path;   /* of Py_SetPath */
    wchar_t *joined; /* what Py_GetPath gave last */
} kr_path_state;

static void
remember(wchar_t **slot, const wchar_t *text)
{
    PyMem_RawFree(*slot);
    *slot = NULL;
    if (text != NULL && *text != L'\0') {
        size_t size = (wcslen(text) + 1) * sizeof(wchar_t);
        *slot = PyMem_RawMalloc(size);
        if (*slot != NULL) {
            memcpy(*slot, text, size);
        }
    }
}

void
Py_SetProgramName(const wchar_t *name)
{
    remember(&kr_path_state.program_name, name);
}

void
Py_SetPythonHome(const wchar_t *home)
{
    remember(&kr_path_state.home, home);
}

void
Py_SetPath(const wchar_t *path)
{
    remember(&kr_path_state.path, path);
}

PyAPI_FUNC(void) _Py_SetProgramFullPath(const wchar_t *path);
void
_Py_SetProgramFullPath(const wchar_t *path)
{
    remember(&kr_path_state.program_full_path, path);
}

PyAPI_FUNC(void) _PyPathConfig_ClearGlobal(void);
void
_PyPathConfig_ClearGlobal(void)
{
    struct kr_path_state *s = &kr_path_state;
    wchar_t **slots[] = {&s->program_name, &s->program_full_path, &s->home,
                         &s->path, &s->joined};
    for (size_t i = 0; i < sizeof(slots) / sizeof(*slots); i++) {
        remember(slots[i], NULL);
    }
}

PyStatus
kr_config_use_path_setters(PyConfig *config)
{
    PyStatus status = PyStatus_Ok();
    if (kr_path_state.program_name != NULL) {
        status = PyConfig_SetString(config, &config->program_name,
                                    kr_path_state.program_name);
    }
    if (!PyStatus_Exception(status) && kr_path_state.home != NULL) {
        status =
            PyConfig_SetString(config, &config->home, kr_path_state.home);
    }
    if (!PyStatus_Exception(status)
        && kr_path_state.program_full_path != NULL) {
        status = PyConfig_SetString(config, &config->executable,
                                    kr_path_state.program_full_path);
    }
    if (!PyStatus_Exception(status) && kr_path_state.path != NULL) {
        config->module_search_paths_set = 1;
        status = append_split(config, kr_path_state.path);
    }
    return status;
}

#define GETTER(function, field)                                                \
    wchar_t *function(void)                                                    \
    {                                                                          \
        return kr_tstate() == NULL ? NULL : kr_interp()->config.field;         \
    }
GETTER(Py_GetPrefix, prefix)
GETTER(Py_GetExecPrefix, exec_prefix)
GETTER(Py_GetProgramFullPath, executable)
GETTER(Py_GetProgramName, program_name)
GETTER(Py_GetPythonHome, home)

wchar_t *
Py_GetPath(void)
{
    if (kr_tstate() == NULL) {
        return kr_path_state.path;
    }
    const PyWideStringList *list = &kr_interp()->config.module_search_paths;
    size_t len = 1;
    for (Py_ssize_t i = 0; i < list->length; i++) {
        len += wcslen(list->items[i]) + 1;
    }
    wchar_t *text = PyMem_RawMalloc(len * sizeof(wchar_t));
    if (text == NULL) {
        return NULL;
    }
    text[0] = L'\0';
    for (Py_ssize_t i = 0; i < list->length; i++) {
        if (i > 0) {
            wcscat(text, L":");
        }
        wcscat(text, list->items[i]);
    }
    PyMem_RawFree(kr_path_state.joined);
    kr_path_state.joined = text;
    return text;
}
