/* Operators, subscripts, attributes, formatting. */

inst(UNARY_POSITIVE, 10, (), (value -- res), err|esc, UNARY_POSITIVE)
{
    res = PyNumber_Positive(value);
    Py_DECREF(value);
    ERROR_IF(res == NULL);
}

inst(UNARY_NEGATIVE, 11, (), (value -- res), err|esc, UNARY_NEGATIVE)
{
    res = PyNumber_Negative(value);
    Py_DECREF(value);
    ERROR_IF(res == NULL);
}

inst(UNARY_INVERT, 15, (), (value -- res), err|esc, UNARY_INVERT)
{
    res = PyNumber_Invert(value);
    Py_DECREF(value);
    ERROR_IF(res == NULL);
}

inst(UNARY_NOT, 12, (), (value -- res), err|esc, UNARY_NOT)
{
    int truth = PyObject_IsTrue(value);
    Py_DECREF(value);
    ERROR_IF(truth < 0);
    res = Py_NewRef(truth ? Py_False : Py_True);
}

inst(BINARY_OP, 122, (counter:1), (left, right -- res), err|esc, BINARY_OP)
{
    res = NULL;
    if (PyLong_CheckExact(left) && PyLong_CheckExact(right)) {
        if (kr_is_small(left) && kr_is_small(right)) {
            res = small_int_op(oparg, left, right);
        }
    }
    else if (PyFloat_CheckExact(left) && PyFloat_CheckExact(right)) {
        res = float_op(oparg, left, right);
    }
    /* nothing done there, or no memory for the result */
    if (res == NULL && tstate->curexc_type == NULL) {
        res = kr_binary_ops[oparg](left, right);
    }
    Py_DECREF(left);
    Py_DECREF(right);
    ERROR_IF(res == NULL);
}

inst(COMPARE_OP, 107, (counter:1, mask:1), (left, right -- res), err|esc,
     COMPARE_OP)
{
    res = PyObject_RichCompare(left, right, oparg);
    Py_DECREF(left);
    Py_DECREF(right);
    ERROR_IF(res == NULL);
}

inst(IS_OP, 117, (), (left, right -- res), esc, IS_OP)
{
    res = Py_NewRef(Py_Is(left, right) ^ oparg ? Py_True : Py_False);
    Py_DECREF(left);
    Py_DECREF(right);
}

inst(CONTAINS_OP, 118, (), (left, right -- res), err|esc, CONTAINS_OP)
{
    int found = PySequence_Contains(right, left);
    Py_DECREF(left);
    Py_DECREF(right);
    ERROR_IF(found < 0);
    res = Py_NewRef(found ^ oparg ? Py_True : Py_False);
}

inst(BINARY_SUBSCR, 25, (counter:1, type_version:2, func_version:1),
     (container, sub -- res), err|esc, BINARY_SUBSCR)
{
    res = PyObject_GetItem(container, sub);
    Py_DECREF(container);
    Py_DECREF(sub);
    ERROR_IF(res == NULL);
}

inst(STORE_SUBSCR, 60, (counter:1), (value, container, sub --), err|esc,
     STORE_SUBSCR)
{
    int err = PyObject_SetItem(container, sub, value);
    Py_DECREF(value);
    Py_DECREF(container);
    Py_DECREF(sub);
    ERROR_IF(err < 0);
}

inst(DELETE_SUBSCR, 61, (), (container, sub --), err|esc, DELETE_SUBSCR)
{
    int err = PyObject_DelItem(container, sub);
    Py_DECREF(container);
    Py_DECREF(sub);
    ERROR_IF(err < 0);
}

inst(LOAD_ATTR, 106, (counter:1, version:2, index:1), (owner -- res),
     err|esc|name, LOAD_ATTR)
{
    res = PyObject_GetAttr(owner, NAME(oparg));
    Py_DECREF(owner);
    ERROR_IF(res == NULL);
}

inst(STORE_ATTR, 95, (counter:1, version:2, index:1), (value, owner --),
     err|esc|name, STORE_ATTR)
{
    int err = PyObject_SetAttr(owner, NAME(oparg), value);
    Py_DECREF(value);
    Py_DECREF(owner);
    ERROR_IF(err < 0);
}

inst(DELETE_ATTR, 96, (), (owner --), err|esc|name, DELETE_ATTR)
{
    int err = PyObject_SetAttr(owner, NAME(oparg), NULL);
    Py_DECREF(owner);
    ERROR_IF(err < 0);
}

inst(LOAD_METHOD, 160,
     (counter:1, type_version:2, dict_offset:1, keys_version:2, descr:4),
     (owner -- method, self), err|esc|name, LOAD_METHOD)
{
    /* an unbound method is followed by its self, anything else by itself
     * after a NULL: see CALL */
    PyObject *found = NULL;
    int is_method = _PyObject_GetMethod(owner, NAME(oparg), &found);
    if (KR_UNLIKELY(found == NULL)) {
        Py_DECREF(owner);
        ERROR_IF(1);
    }
    if (is_method) {
        method = found;
        self = owner;
    }
    else {
        method = NULL;
        self = found;
        Py_DECREF(owner);
    }
}

inst(FORMAT_VALUE, 155, (), (value, spec[(oparg & 4) == 4] -- res), err|esc,
     FORMAT_VALUE)
{
    PyObject *with = oparg & 4 ? *spec : NULL;
    res = kr_format_value(value, with, oparg & 3);
    Py_DECREF(value);
    Py_XDECREF(with);
    ERROR_IF(res == NULL);
}

inst(GET_LEN, 30, (), (obj -- obj, len), err|esc, GET_LEN)
{
    Py_ssize_t n = PyObject_Length(obj);
    ERROR_KEEP(n < 0);
    len = PyLong_FromSsize_t(n);
    ERROR_KEEP(len == NULL);
}
