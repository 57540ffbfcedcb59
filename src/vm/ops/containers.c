/* Building and taking apart containers. */

inst(BUILD_TUPLE, 102, (), (items[oparg] -- res), err, BUILD_TUPLE)
{
    res = kr_tuple_steal(items, oparg);
    ERROR_IF(res == NULL);
}

inst(BUILD_LIST, 103, (), (items[oparg] -- res), err, BUILD_LIST)
{
    res = PyList_New(oparg);
    ERROR_KEEP(res == NULL);
    for (int i = 0; i < oparg; i++) {
        PyList_SET_ITEM(res, i, items[i]);
    }
}

inst(BUILD_SET, 104, (), (items[oparg] -- res), err|esc, BUILD_SET)
{
    res = PySet_New(NULL);
    int err = res == NULL ? -1 : 0;
    for (int i = 0; i < oparg; i++) {
        if (err == 0) {
            err = PySet_Add(res, items[i]);
        }
        Py_DECREF(items[i]);
    }
    if (err < 0) {
        Py_XDECREF(res);
        ERROR_IF(1);
    }
}

inst(BUILD_MAP, 105, (), (items[2 * oparg] -- res), err|esc, BUILD_MAP)
{
    res = kr_build_map(items, oparg);
    ERROR_KEEP(res == NULL);
    for (int i = 0; i < 2 * oparg; i++) {
        Py_DECREF(items[i]);
    }
}

inst(BUILD_CONST_KEY_MAP, 156, (), (values[oparg], keys -- res), err|esc,
     BUILD_CONST_KEY_MAP)
{
    res = kr_build_const_key_map(values, keys, oparg);
    ERROR_KEEP(res == NULL);
    for (int i = 0; i < oparg; i++) {
        Py_DECREF(values[i]);
    }
    Py_DECREF(keys);
}

inst(BUILD_STRING, 157, (), (pieces[oparg] -- res), err, BUILD_STRING)
{
    res = _PyUnicode_JoinArray(kr_empty_str(), pieces, oparg);
    for (int i = 0; i < oparg; i++) {
        Py_DECREF(pieces[i]);
    }
    ERROR_IF(res == NULL);
}

inst(BUILD_SLICE, 133, (), (start, stop, step[oparg == 3] -- res), err,
     BUILD_SLICE)
{
    PyObject *by = oparg == 3 ? *step : NULL;
    /* a slice that is used at once is often not needed as an object */
    int user = KR_OPCODE(*next_instr);
    if (user == BINARY_SUBSCR_ADAPTIVE || user == BINARY_SUBSCR) {
        PyObject *container = PEEK(oparg + 1), *part = NULL;
        int done = cframe->use_tracing
                       ? 0
                       : kr_take_slice(container, start, stop, by, &part);
        if (done) {
            if (done < 0) {
                frame->prev_instr = next_instr;
                GOTO(error);
            }
            Py_DECREF(start);
            Py_DECREF(stop);
            Py_XDECREF(by);
            stack_pointer -= oparg;
            PEEK(1) = part;
            Py_DECREF(container);
            next_instr += 5;
            DISPATCH();
        }
    }
    else if ((user == STORE_SUBSCR_ADAPTIVE || user == STORE_SUBSCR) &&
             by == NULL && !cframe->use_tracing) {
        PyObject *list = PEEK(3), *value = PEEK(4);
        int done = kr_put_slice(list, start, stop, value);
        if (done) {
            if (done < 0) {
                frame->prev_instr = next_instr;
                GOTO(error);
            }
            stack_pointer -= 4;
            Py_DECREF(start);
            Py_DECREF(stop);
            Py_DECREF(list);
            Py_DECREF(value);
            next_instr += 2;
            DISPATCH();
        }
    }
    res = PySlice_New(start, stop, by);
    Py_DECREF(start);
    Py_DECREF(stop);
    Py_XDECREF(by);
    ERROR_IF(res == NULL);
}

inst(LIST_TO_TUPLE, 82, (), (list -- res), err, LIST_TO_TUPLE)
{
    res = PyList_AsTuple(list);
    Py_DECREF(list);
    ERROR_IF(res == NULL);
}

inst(LIST_APPEND, 145, (), (value --), err, LIST_APPEND)
{
    int err = PyList_Append(PEEK(oparg + 1), value);
    Py_DECREF(value);
    ERROR_IF(err < 0);
}

inst(SET_ADD, 146, (), (value --), err|esc, SET_ADD)
{
    int err = PySet_Add(PEEK(oparg + 1), value);
    Py_DECREF(value);
    ERROR_IF(err < 0);
}

inst(MAP_ADD, 147, (), (key, value --), err|esc, MAP_ADD)
{
    int err = PyDict_SetItem(PEEK(oparg + 2), key, value);
    Py_DECREF(key);
    Py_DECREF(value);
    ERROR_IF(err < 0);
}

inst(LIST_EXTEND, 162, (), (iterable --), err|esc, LIST_EXTEND)
{
    int err = kr_extend_list(PEEK(oparg + 1), iterable);
    Py_DECREF(iterable);
    ERROR_IF(err < 0);
}

inst(SET_UPDATE, 163, (), (iterable --), err|esc, SET_UPDATE)
{
    int err = _PySet_Update(PEEK(oparg + 1), iterable);
    Py_DECREF(iterable);
    ERROR_IF(err < 0);
}

inst(DICT_UPDATE, 165, (), (mapping --), err|esc, DICT_UPDATE)
{
    int err = kr_dict_update(PEEK(oparg + 1), mapping);
    Py_DECREF(mapping);
    ERROR_IF(err < 0);
}

inst(DICT_MERGE, 164, (), (mapping --), err|esc, DICT_MERGE)
{
    int err = kr_dict_merge(PEEK(oparg + 1), mapping, PEEK(oparg + 3));
    Py_DECREF(mapping);
    ERROR_IF(err < 0);
}

inst(UNPACK_SEQUENCE, 92, (counter:1), (seq -- unused[oparg]), err|esc,
     UNPACK_SEQUENCE)
{
    PyObject **top = stack_pointer - 1 + oparg;
    int ok = kr_unpack_iterable(seq, oparg, -1, top);
    Py_DECREF(seq);
    ERROR_IF(!ok);
}

inst(UNPACK_EX, 94, (), (seq -- unused[(oparg & 255) + 1 + (oparg >> 8)]),
     err|esc, UNPACK_EX)
{
    int total = (oparg & 255) + 1 + (oparg >> 8);
    int ok = kr_unpack_iterable(seq, oparg & 255, oparg >> 8,
                                stack_pointer - 1 + total);
    Py_DECREF(seq);
    ERROR_IF(!ok);
}

/* Matching. */

inst(MATCH_MAPPING, 31, (), (subject -- subject, res), none, MATCH_MAPPING)
{
    int yes = Py_TYPE(subject)->tp_flags & Py_TPFLAGS_MAPPING ? 1 : 0;
    res = Py_NewRef(yes ? Py_True : Py_False);
}

inst(MATCH_SEQUENCE, 32, (), (subject -- subject, res), none, MATCH_SEQUENCE)
{
    int yes = Py_TYPE(subject)->tp_flags & Py_TPFLAGS_SEQUENCE ? 1 : 0;
    res = Py_NewRef(yes ? Py_True : Py_False);
}

inst(MATCH_KEYS, 33, (), (subject, keys -- subject, keys, values), err|esc,
     MATCH_KEYS)
{
    values = kr_match_keys(subject, keys);
    ERROR_KEEP(values == NULL);
}

inst(MATCH_CLASS, 152, (), (subject, type, names -- res), err|esc, MATCH_CLASS)
{
    res = kr_match_class(subject, type, oparg, names);
    if (res == NULL) {
        ERROR_KEEP(PyErr_Occurred());
        res = Py_NewRef(Py_None);
    }
    Py_DECREF(subject);
    Py_DECREF(type);
    Py_DECREF(names);
}
