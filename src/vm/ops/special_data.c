/* Special forms of operators, subscripts, attributes and globals. */

inst(LOAD_GLOBAL_MODULE, 55, (counter:1, index:1, module_keys_version:2, builtin_keys_version:1),
     (-- null[oparg & 1], value), deopt|name, LOAD_GLOBAL)
{
    PyDictObject *dict = (PyDictObject *)frame->f_globals;
    DEOPT_IF(!PyDict_CheckExact(dict));
    DEOPT_IF(kr_dict_keys_version_now(dict) != CACHE32(module_keys_version));
    value = kr_dict_str_entry_at(dict->ma_keys, CACHE16(index))->value;
    DEOPT_IF(value == NULL);
    Py_INCREF(value);
    null = NULL;
}

inst(LOAD_GLOBAL_BUILTIN, 48, (counter:1, index:1, module_keys_version:2, builtin_keys_version:1),
     (-- null[oparg & 1], value), deopt|name, LOAD_GLOBAL)
{
    PyDictObject *dict = (PyDictObject *)frame->f_globals;
    PyDictObject *outer = (PyDictObject *)frame->f_builtins;
    DEOPT_IF(!PyDict_CheckExact(dict));
    DEOPT_IF(!PyDict_CheckExact(outer));
    DEOPT_IF(kr_dict_keys_version_now(dict) != CACHE32(module_keys_version));
    DEOPT_IF(kr_dict_keys_version_now(outer) != CACHE16(builtin_keys_version));
    value = kr_dict_str_entry_at(outer->ma_keys, CACHE16(index))->value;
    DEOPT_IF(value == NULL);
    Py_INCREF(value);
    null = NULL;
}

inst(LOAD_ATTR_INSTANCE_VALUE, 40, (counter:1, version:2, index:1),
     (owner -- res), deopt|esc|name, LOAD_ATTR)
{
    DEOPT_IF(Py_TYPE(owner)->tp_version_tag != CACHE32(version));
    PyObject **values = kr_instance_values(owner);
    int index = CACHE16(index);
    DEOPT_IF(values == NULL || index >= kr_values_capacity(values));
    res = values[index];
    DEOPT_IF(res == NULL);
    Py_INCREF(res);
    Py_DECREF(owner);
}

inst(LOAD_ATTR_MODULE, 41, (counter:1, version:2, index:1),
     (owner -- res), deopt|esc|name, LOAD_ATTR)
{
    DEOPT_IF(!PyModule_CheckExact(owner));
    PyDictObject *dict = (PyDictObject *)KR_MODULE_DICT(owner);
    DEOPT_IF(kr_dict_keys_version_now(dict) != CACHE32(version));
    res = kr_dict_str_entry_at(dict->ma_keys, CACHE16(index))->value;
    DEOPT_IF(res == NULL);
    Py_INCREF(res);
    Py_DECREF(owner);
}

inst(LOAD_ATTR_SLOT, 42, (counter:1, version:2, index:1),
     (owner -- res), deopt|esc|name, LOAD_ATTR)
{
    DEOPT_IF(Py_TYPE(owner)->tp_version_tag != CACHE32(version));
    res = *(PyObject **)((char *)owner + CACHE16(index));
    DEOPT_IF(res == NULL);
    Py_INCREF(res);
    Py_DECREF(owner);
}

inst(LOAD_ATTR_WITH_HINT, 43, (counter:1, version:2, index:1),
     (owner -- res), deopt|esc|name, LOAD_ATTR)
{
    DEOPT_IF(Py_TYPE(owner)->tp_version_tag != CACHE32(version));
    PyDictObject *dict = (PyDictObject *)*kr_instance_dict_slot(owner);
    DEOPT_IF(dict == NULL || !PyDict_CheckExact(dict));
    int index = CACHE16(index);
    DEOPT_IF(!kr_dict_has_str_keys(dict) || index >= dict->ma_keys->nentries);
    struct kr_dict_str_entry *entry =
        kr_dict_str_entry_at(dict->ma_keys, index);
    DEOPT_IF(entry->key != NAME(oparg));
    res = entry->value;
    DEOPT_IF(res == NULL);
    Py_INCREF(res);
    Py_DECREF(owner);
}

inst(STORE_ATTR_INSTANCE_VALUE, 154, (counter:1, version:2, index:1),
     (value, owner --), deopt|esc|name, STORE_ATTR)
{
    DEOPT_IF(Py_TYPE(owner)->tp_version_tag != CACHE32(version));
    PyObject **values = kr_instance_values(owner);
    int index = CACHE16(index);
    DEOPT_IF(values == NULL || index >= kr_values_capacity(values));
    kr_values_store(values, index, value);
    Py_DECREF(owner);
}

inst(STORE_ATTR_SLOT, 158, (counter:1, version:2, index:1),
     (value, owner --), deopt|esc|name, STORE_ATTR)
{
    DEOPT_IF(Py_TYPE(owner)->tp_version_tag != CACHE32(version));
    PyObject **at = (PyObject **)((char *)owner + CACHE16(index));
    PyObject *old = *at;
    *at = value;
    Py_XDECREF(old);
    Py_DECREF(owner);
}

inst(STORE_ATTR_WITH_HINT, 159, (counter:1, version:2, index:1),
     (value, owner --), deopt|esc|name, STORE_ATTR)
{
    DEOPT_IF(Py_TYPE(owner)->tp_version_tag != CACHE32(version));
    PyDictObject *dict = (PyDictObject *)*kr_instance_dict_slot(owner);
    DEOPT_IF(dict == NULL || !PyDict_CheckExact(dict));
    int index = CACHE16(index);
    DEOPT_IF(!kr_dict_has_str_keys(dict) || index >= dict->ma_keys->nentries);
    struct kr_dict_str_entry *entry =
        kr_dict_str_entry_at(dict->ma_keys, index);
    DEOPT_IF(entry->key != NAME(oparg) || entry->value == NULL);
    kr_dict_replace_value(dict, index, value);
    Py_DECREF(owner);
}

inst(LOAD_METHOD_WITH_VALUES, 63,
     (counter:1, type_version:2, dict_offset:1, keys_version:2, descr:4),
     (owner -- method, self), deopt|name, LOAD_METHOD)
{
    PyTypeObject *type = Py_TYPE(owner);
    DEOPT_IF(type->tp_version_tag != CACHE32(type_version));
    DEOPT_IF(*kr_instance_dict_slot(owner) != NULL);
    DEOPT_IF(kr_type_shape(type)->count != CACHE32(keys_version));
    method = Py_NewRef(CACHEPTR(descr));
    self = owner;
}

inst(LOAD_METHOD_WITH_DICT, 62,
     (counter:1, type_version:2, dict_offset:1, keys_version:2, descr:4),
     (owner -- method, self), deopt|name, LOAD_METHOD)
{
    DEOPT_IF(Py_TYPE(owner)->tp_version_tag != CACHE32(type_version));
    PyDictObject *dict = (PyDictObject *)*kr_instance_dict_slot(owner);
    DEOPT_IF(dict == NULL ||
             kr_dict_keys_version_now(dict) != CACHE32(keys_version));
    method = Py_NewRef(CACHEPTR(descr));
    self = owner;
}

inst(LOAD_METHOD_NO_DICT, 59,
     (counter:1, type_version:2, dict_offset:1, keys_version:2, descr:4),
     (owner -- method, self), deopt|name, LOAD_METHOD)
{
    DEOPT_IF(Py_TYPE(owner)->tp_version_tag != CACHE32(type_version));
    method = Py_NewRef(CACHEPTR(descr));
    self = owner;
}

inst(LOAD_METHOD_CLASS, 57,
     (counter:1, type_version:2, dict_offset:1, keys_version:2, descr:4),
     (owner -- method, self), deopt|name, LOAD_METHOD)
{
    DEOPT_IF(!PyType_Check(owner));
    DEOPT_IF(((PyTypeObject *)owner)->tp_version_tag !=
             CACHE32(type_version));
    method = NULL;
    self = Py_NewRef(CACHEPTR(descr));
    Py_DECREF(owner);
}

inst(LOAD_METHOD_MODULE, 58,
     (counter:1, type_version:2, dict_offset:1, keys_version:2, descr:4),
     (owner -- method, self), deopt|name, LOAD_METHOD)
{
    DEOPT_IF(!PyModule_CheckExact(owner));
    PyDictObject *dict = (PyDictObject *)KR_MODULE_DICT(owner);
    DEOPT_IF(kr_dict_keys_version_now(dict) != CACHE32(keys_version));
    self = kr_dict_str_entry_at(dict->ma_keys, CACHE16(dict_offset))->value;
    DEOPT_IF(self == NULL);
    method = NULL;
    Py_INCREF(self);
    Py_DECREF(owner);
}

/* Arithmetic. */

inst(BINARY_OP_ADD_INT, 5, (counter:1), (left, right -- res), deopt|err,
     BINARY_OP)
{
    DEOPT_IF(!PyLong_CheckExact(left) || !PyLong_CheckExact(right));
    INT_RESULT(kr_small_value(left) + kr_small_value(right), kr_int_add);
}

inst(BINARY_OP_SUBTRACT_INT, 16, (counter:1), (left, right -- res), deopt|err,
     BINARY_OP)
{
    DEOPT_IF(!PyLong_CheckExact(left) || !PyLong_CheckExact(right));
    INT_RESULT(kr_small_value(left) - kr_small_value(right), kr_int_sub);
}

inst(BINARY_OP_MULTIPLY_INT, 13, (counter:1), (left, right -- res), deopt|err,
     BINARY_OP)
{
    DEOPT_IF(!PyLong_CheckExact(left) || !PyLong_CheckExact(right));
    INT_RESULT(kr_small_value(left) * kr_small_value(right), kr_int_mul);
}

inst(BINARY_OP_ADD_FLOAT, 4, (counter:1), (left, right -- res), deopt|err,
     BINARY_OP)
{
    DEOPT_IF(!PyFloat_CheckExact(left) || !PyFloat_CheckExact(right));
    FLOAT_RESULT(PyFloat_AS_DOUBLE(left) + PyFloat_AS_DOUBLE(right));
}

inst(BINARY_OP_SUBTRACT_FLOAT, 14, (counter:1), (left, right -- res),
     deopt|err, BINARY_OP)
{
    DEOPT_IF(!PyFloat_CheckExact(left) || !PyFloat_CheckExact(right));
    FLOAT_RESULT(PyFloat_AS_DOUBLE(left) - PyFloat_AS_DOUBLE(right));
}

inst(BINARY_OP_MULTIPLY_FLOAT, 8, (counter:1), (left, right -- res),
     deopt|err, BINARY_OP)
{
    DEOPT_IF(!PyFloat_CheckExact(left) || !PyFloat_CheckExact(right));
    FLOAT_RESULT(PyFloat_AS_DOUBLE(left) * PyFloat_AS_DOUBLE(right));
}

inst(BINARY_OP_ADD_UNICODE, 6, (counter:1), (left, right -- res), deopt|err,
     BINARY_OP)
{
    DEOPT_IF(!PyUnicode_CheckExact(left) || !PyUnicode_CheckExact(right));
    res = PyUnicode_Concat(left, right);
    Py_DECREF(left);
    Py_DECREF(right);
    ERROR_IF(res == NULL);
}

/* s += t for a local s, with the STORE_FAST behind: the local gives up its
 * reference, so that the string can often grow in place. */
inst(BINARY_OP_INPLACE_ADD_UNICODE, 7, (counter:1), (left, right --),
     deopt|err, BINARY_OP)
{
    DEOPT_IF(!PyUnicode_CheckExact(left) || !PyUnicode_CheckExact(right));
    int target = KR_OPARG(next_instr[1]);
    DEOPT_IF(LOCAL(target) != left);
    Py_DECREF(left); /* the local holds another one */
    PyUnicode_Append(&LOCAL(target), right);
    Py_DECREF(right);
    ERROR_IF(LOCAL(target) == NULL);
    next_instr++;
}

inst(COMPARE_OP_INT_JUMP, 28, (counter:1, mask:1), (left, right --),
     end|deopt|jump, COMPARE_OP)
{
    DEOPT_IF(!PyLong_CheckExact(left) || !PyLong_CheckExact(right));
    DEOPT_IF(!kr_is_small(left) || !kr_is_small(right));
    Py_ssize_t a = kr_small_value(left), b = kr_small_value(right);
    int jump = CACHE16(mask) >> ((a > b) - (a < b) + 1) & 1;
    kr_int_decref(left);
    kr_int_decref(right);
    COMPARED(jump);
}

inst(COMPARE_OP_FLOAT_JUMP, 27, (counter:1, mask:1), (left, right --),
     end|deopt|jump, COMPARE_OP)
{
    DEOPT_IF(!PyFloat_CheckExact(left) || !PyFloat_CheckExact(right));
    double a = PyFloat_AS_DOUBLE(left), b = PyFloat_AS_DOUBLE(right);
    DEOPT_IF(a != a || b != b);
    int jump = CACHE16(mask) >> ((a > b) - (a < b) + 1) & 1;
    kr_float_decref(left);
    kr_float_decref(right);
    COMPARED(jump);
}

inst(COMPARE_OP_STR_JUMP, 29, (counter:1, mask:1), (left, right --),
     end|deopt|jump, COMPARE_OP)
{
    DEOPT_IF(!PyUnicode_CheckExact(left) || !PyUnicode_CheckExact(right));
    int equal = left == right || _PyUnicode_EQ(left, right);
    int jump = CACHE16(mask) >> (equal ? 1 : 0) & 1;
    Py_DECREF(left);
    Py_DECREF(right);
    COMPARED(jump);
}

/* Subscripts. */

inst(BINARY_SUBSCR_LIST_INT, 20, (counter:1, type_version:2, func_version:1),
     (list, sub -- res), deopt|esc, BINARY_SUBSCR)
{
    DEOPT_IF(!PyLong_CheckExact(sub) || !PyList_CheckExact(list));
    DEOPT_IF(!kr_is_small(sub));
    Py_ssize_t index = kr_small_value(sub);
    if (index < 0) {
        index += PyList_GET_SIZE(list);
    }
    DEOPT_IF((size_t)index >= (size_t)PyList_GET_SIZE(list));
    res = Py_NewRef(PyList_GET_ITEM(list, index));
    kr_int_decref(sub);
    Py_DECREF(list);
}

inst(BINARY_SUBSCR_TUPLE_INT, 21, (counter:1, type_version:2, func_version:1),
     (tuple, sub -- res), deopt|esc, BINARY_SUBSCR)
{
    DEOPT_IF(!PyLong_CheckExact(sub) || !PyTuple_CheckExact(tuple));
    DEOPT_IF(!kr_is_small(sub));
    Py_ssize_t index = kr_small_value(sub);
    if (index < 0) {
        index += PyTuple_GET_SIZE(tuple);
    }
    DEOPT_IF((size_t)index >= (size_t)PyTuple_GET_SIZE(tuple));
    res = Py_NewRef(PyTuple_GET_ITEM(tuple, index));
    kr_int_decref(sub);
    Py_DECREF(tuple);
}

inst(BINARY_SUBSCR_DICT, 18, (counter:1, type_version:2, func_version:1),
     (dict, sub -- res), deopt|err|esc, BINARY_SUBSCR)
{
    DEOPT_IF(!PyDict_CheckExact(dict));
    int found = kr_dict_get_ref(dict, sub, &res);
    if (found == 0) {
        _PyErr_SetKeyError(sub);
    }
    Py_DECREF(dict);
    Py_DECREF(sub);
    ERROR_IF(found <= 0);
}

inst(BINARY_SUBSCR_GETITEM, 19, (counter:1, type_version:2, func_version:1),
     (container, sub --), end|deopt|err, BINARY_SUBSCR)
{
    PyTypeObject *type = Py_TYPE(container);
    DEOPT_IF(tstate->interp->eval_frame != NULL);
    DEOPT_IF(type->tp_version_tag != CACHE32(type_version));
    PyObject *getitem = ((PyHeapTypeObject *)type)->_spec_cache.getitem;
    DEOPT_IF(getitem == NULL);
    PyFunctionObject *func = (PyFunctionObject *)getitem;
    DEOPT_IF(func->func_version != CACHE16(func_version));
    Py_INCREF(func);
    PyObject *args[2] = {container, sub};
    _PyInterpreterFrame *callee =
        kr_push_call(tstate, func, NULL, args, 2, NULL);
    stack_pointer -= 2;
    if (callee == NULL) {
        GOTO(error);
    }
    next_instr += 4;
    ENTER_FRAME(callee);
}

inst(STORE_SUBSCR_LIST_INT, 170, (counter:1), (value, list, sub --), deopt|esc,
     STORE_SUBSCR)
{
    DEOPT_IF(!PyLong_CheckExact(sub) || !PyList_CheckExact(list));
    DEOPT_IF((size_t)Py_SIZE(sub) > 1);
    Py_ssize_t index = kr_small_value(sub);
    DEOPT_IF(index >= PyList_GET_SIZE(list));
    PyObject *old = PyList_GET_ITEM(list, index);
    PyList_SET_ITEM(list, index, value);
    Py_XDECREF(old);
    kr_int_decref(sub);
    Py_DECREF(list);
}

inst(STORE_SUBSCR_DICT, 169, (counter:1), (value, dict, sub --),
     deopt|err|esc, STORE_SUBSCR)
{
    DEOPT_IF(!PyDict_CheckExact(dict));
    int err = kr_dict_set_take2((PyDictObject *)dict, sub, value);
    Py_DECREF(dict);
    ERROR_IF(err < 0);
}

/* Unpacking. */

inst(UNPACK_SEQUENCE_TWO_TUPLE, 180, (counter:1), (seq -- second, first),
     deopt|esc, UNPACK_SEQUENCE)
{
    DEOPT_IF(!PyTuple_CheckExact(seq) || PyTuple_GET_SIZE(seq) != 2);
    first = Py_NewRef(PyTuple_GET_ITEM(seq, 0));
    second = Py_NewRef(PyTuple_GET_ITEM(seq, 1));
    Py_DECREF(seq);
}

inst(UNPACK_SEQUENCE_TUPLE, 179, (counter:1), (seq -- unused[oparg]),
     deopt|esc, UNPACK_SEQUENCE)
{
    DEOPT_IF(!PyTuple_CheckExact(seq) || PyTuple_GET_SIZE(seq) != oparg);
    PyObject **base = stack_pointer - 1;
    for (int i = 0; i < oparg; i++) {
        base[oparg - 1 - i] = Py_NewRef(PyTuple_GET_ITEM(seq, i));
    }
    Py_DECREF(seq);
}

inst(UNPACK_SEQUENCE_LIST, 178, (counter:1), (seq -- unused[oparg]),
     deopt|esc, UNPACK_SEQUENCE)
{
    DEOPT_IF(!PyList_CheckExact(seq) || PyList_GET_SIZE(seq) != oparg);
    PyObject **base = stack_pointer - 1;
    for (int i = 0; i < oparg; i++) {
        base[oparg - 1 - i] = Py_NewRef(PyList_GET_ITEM(seq, i));
    }
    Py_DECREF(seq);
}
