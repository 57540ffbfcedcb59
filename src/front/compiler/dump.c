/* A control-flow graph as text, for people who study the compiler. */
#include "front/compiler/passes.h"

#include "base/common.h"
#include "code/opcode_meta.h"

static const char *
opcode_name(int opcode)
{
    static const char *const pseudo[] = {
        NULL, "SETUP_FINALLY", "SETUP_CLEANUP", "SETUP_WITH", "POP_BLOCK",
        "JUMP", "JUMP_NO_INTERRUPT", "POP_JUMP_IF_FALSE", "POP_JUMP_IF_TRUE",
        "POP_JUMP_IF_NONE", "POP_JUMP_IF_NOT_NONE",
    };
    const char *name = NULL;
    if (opcode >= 0 && opcode < 256) {
        name = kr_opcode_names[opcode];
    }
    else if (-opcode < (int)KR_ARRAY_LEN(pseudo)) {
        name = pseudo[-opcode];
    }
    return name ? name : "?";
}

static int
append_line(PyObject *lines, PyObject *line)
{
    int status = line == NULL ? -1 : PyList_Append(lines, line);
    Py_XDECREF(line);
    return status;
}

/* Blocks are numbered by their place in the layout. */
static void
number_blocks(struct kr_cfg *cfg)
{
    uintptr_t n = 0;
    for (struct kr_block *b = cfg->blocks; b; b = b->list) {
        b->scratch = NULL;
    }
    for (struct kr_block *b = cfg->entry; b; b = b->next) {
        b->scratch = (void *)++n;
    }
}

static int
dump_instr(PyObject *lines, const struct kr_instr *instr)
{
    char arg[24] = "", target[32] = "", except[40] = "";
    if (instr->target != NULL) {
        PyOS_snprintf(target, sizeof target, " -> block %d",
                      (int)(uintptr_t)instr->target->scratch);
    }
    else if (instr->opcode >= HAVE_ARGUMENT) {
        PyOS_snprintf(arg, sizeof arg, " %d", instr->oparg);
    }
    if (instr->except != NULL) {
        PyOS_snprintf(except, sizeof except, "  (handler: block %d)",
                      (int)(uintptr_t)instr->except->scratch);
    }
    return append_line(
        lines, PyUnicode_FromFormat("  %5d  %s%s%s%s", instr->loc.lineno,
                                    opcode_name(instr->opcode), arg, target,
                                    except));
}

PyObject *
kr_cfg_dump(struct kr_cfg *cfg)
{
    PyObject *lines = PyList_New(0);
    if (lines == NULL) {
        return NULL;
    }
    number_blocks(cfg);
    int status = 0;
    for (struct kr_block *b = cfg->entry; b && status == 0; b = b->next) {
        status = append_line(
            lines,
            PyUnicode_FromFormat("block %d:%s%s",
                                 (int)(uintptr_t)b->scratch,
                                 b->exit ? " exit" : "",
                                 b->nofallthrough ? " nofallthrough" : ""));
        for (int i = 0; i < b->used && status == 0; i++) {
            status = dump_instr(lines, &b->instr[i]);
        }
    }
    PyObject *newline = PyUnicode_FromString("\n"), *text = NULL;
    if (status == 0 && newline != NULL) {
        text = PyUnicode_Join(newline, lines);
    }
    Py_XDECREF(newline);
    Py_DECREF(lines);
    return text;
}
