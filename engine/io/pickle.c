/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pickle-machine.h"

#include "error.h"

#include <string.h>

#define MAX_GLOBAL 512 /* bytes of a module's or a class's name */

/* ---- plain values ---- */

static bool push_integer(PickleMachine *machine, PickleType type, gint64 integer)
{
    return machine_push(machine, (PickleValue){.type = type, .integer = integer});
}

static bool push_unsigned(PickleMachine *machine, size_t n)
{
    guint64 number;
    return machine_take_number(machine, n, &number) &&
           push_integer(machine, PICKLE_INT, (gint64)number);
}

static bool push_signed32(PickleMachine *machine)
{
    guint64 number;
    return machine_take_number(machine, 4, &number) &&
           push_integer(machine, PICKLE_INT, (gint32)(guint32)number);
}

/* LONG1: two's complement of any length. No size needs more than 8 bytes. */
static bool push_long(PickleMachine *machine)
{
    static const char large[] = "a large integer";
    const guint8 *bytes;
    guint64 n, number = 0;
    if (!machine_take_number(machine, 1, &n) || !machine_take_bytes(machine, (size_t)n, &bytes))
        return false;
    if (n > 8)
        return machine_push(machine, pickle_opaque(large, strlen(large)));
    if (n > 0 && bytes[n - 1] & 0x80)
        number = G_MAXUINT64;
    for (size_t i = n; i > 0; i--)
        number = number << 8 | bytes[i - 1];
    return push_integer(machine, PICKLE_INT, (gint64)number);
}

static bool push_float(PickleMachine *machine)
{
    const guint8 *bytes;
    guint64 bits;
    PickleValue value = {.type = PICKLE_FLOAT};
    if (!machine_take_bytes(machine, 8, &bytes))
        return false;
    memcpy(&bits, bytes, sizeof bits);
    bits = GUINT64_FROM_BE(bits);
    memcpy(&value.real, &bits, sizeof bits);
    return machine_push(machine, value);
}

/* Text or bytes after a length of @n bytes. */
static bool push_text(PickleMachine *machine, size_t n, bool is_text)
{
    static const char long_text[] = "a long string", raw[] = "bytes";
    const guint8 *bytes;
    guint64 length;
    if (!machine_take_number(machine, n, &length) ||
        !machine_take_bytes(machine, (size_t)MIN(length, G_MAXSIZE), &bytes))
        return false;
    if (!is_text)
        return machine_push(machine, pickle_opaque(raw, strlen(raw)));
    if (length > PICKLE_MAX_STRING)
        return machine_push(machine, pickle_opaque(long_text, strlen(long_text)));
    return machine_push(machine, (PickleValue){.type = PICKLE_STRING,
                                               .number = (guint32)length,
                                               .text = (const char *)bytes});
}

/* ---- tuples, lists, dicts ---- */

static bool push_empty(PickleMachine *machine, PickleType type)
{
    PickleValue value;
    return pickle_new_items(machine->memory, type, &value, machine->error) &&
           machine_push(machine, value);
}

static bool push_tuple(PickleMachine *machine, const PickleValue *values, guint32 n)
{
    PickleValue tuple;
    if (!pickle_new_items(machine->memory, PICKLE_TUPLE, &tuple, machine->error))
        return false;
    if (n > 0) {
        tuple.items->values =
            pickle_alloc(machine->memory, n * sizeof(PickleValue), machine->error);
        if (!tuple.items->values)
            return false;
        memcpy(tuple.items->values, values, n * sizeof(PickleValue));
        tuple.items->n = tuple.items->capacity = n;
    }
    return machine_push(machine, tuple);
}

static bool tuple_of_marked(PickleMachine *machine)
{
    const PickleValue *values;
    guint32 n;
    return machine_pop_to_mark(machine, &values, &n) && push_tuple(machine, values, n);
}

static bool tuple_of_top(PickleMachine *machine, guint32 n)
{
    if (machine_height(machine) < n)
        return machine_broken(machine, "a value is missing from the stack");
    machine->stack.n -= n;
    return push_tuple(machine, machine->stack.values + machine->stack.n, n);
}

/* Adds @n values to the list or dict on top of the stack; an opaque one swallows them. */
static bool add_items(PickleMachine *machine, PickleType type, const PickleValue *values, guint32 n)
{
    PickleValue target;
    if (!machine_top(machine, &target))
        return false;
    if (target.type == PICKLE_OPAQUE)
        return true;
    if (target.type != type)
        return machine_broken(machine, "items for something that is no %s",
                              type == PICKLE_LIST ? "list" : "dict");
    guint32 limit = PICKLE_MAX_ITEMS * (type == PICKLE_DICT ? 2 : 1);
    if (n > limit - target.items->n)
        return machine_broken(machine, "more than %d items", PICKLE_MAX_ITEMS);
    for (guint32 i = 0; i < n; i++)
        if (!pickle_append(machine->memory, target.items, values[i], machine->error))
            return false;
    return true;
}

static bool add_marked(PickleMachine *machine, PickleType type)
{
    const PickleValue *values;
    guint32 n;
    if (!machine_pop_to_mark(machine, &values, &n))
        return false;
    if (type == PICKLE_DICT && n % 2)
        return machine_broken(machine, "a key without a value");
    return add_items(machine, type, values, n);
}

static bool add_top(PickleMachine *machine, PickleType type)
{
    guint32 n = type == PICKLE_DICT ? 2 : 1;
    if (machine_height(machine) < n)
        return machine_broken(machine, "a value is missing from the stack");
    machine->stack.n -= n;
    return add_items(machine, type, machine->stack.values + machine->stack.n, n);
}

static bool push_set(PickleMachine *machine)
{
    static const char set[] = "a set";
    return machine_push(machine, pickle_opaque(set, strlen(set)));
}

static bool drop_marked(PickleMachine *machine)
{
    const PickleValue *values;
    guint32 n;
    return machine_pop_to_mark(machine, &values, &n);
}

static bool add_to_set(PickleMachine *machine)
{
    PickleValue target;
    if (!drop_marked(machine) || !machine_top(machine, &target))
        return false;
    return target.type == PICKLE_OPAQUE ||
           machine_broken(machine, "items for something that is no set");
}

/* ---- memo ---- */

static bool take_memo_put(PickleMachine *machine, size_t n)
{
    guint64 index;
    return machine_take_number(machine, n, &index) && machine_memo_put(machine, index);
}

static bool take_memo_get(PickleMachine *machine, size_t n)
{
    guint64 index;
    return machine_take_number(machine, n, &index) && machine_memo_get(machine, index);
}

/* ---- globals and what is made of them ---- */

static bool push_global(PickleMachine *machine, const char *name, size_t length)
{
    int number = machine->hooks->global(name, length);
    return machine_push(
        machine, number < 0 ? pickle_opaque(name, length)
                            : (PickleValue){.type = PICKLE_GLOBAL, .number = (guint32)number});
}

static bool take_line(PickleMachine *machine, const char **text, size_t *length)
{
    size_t left = MIN((size_t)(machine->end - machine->next), MAX_GLOBAL);
    const guint8 *newline = memchr(machine->next, '\n', left);
    if (!newline)
        return machine_broken(machine, "a name without end");
    *text = (const char *)machine->next;
    *length = (size_t)(newline - machine->next);
    machine->next = newline + 1;
    return true;
}

static bool global_of_lines(PickleMachine *machine)
{
    const char *module, *name;
    size_t module_length, name_length;
    return take_line(machine, &module, &module_length) && take_line(machine, &name, &name_length) &&
           push_global(machine, module, (size_t)(name - module) + name_length);
}

static bool global_of_stack(PickleMachine *machine)
{
    PickleValue module, name;
    if (!machine_pop(machine, &name) || !machine_pop(machine, &module))
        return false;
    if (module.type != PICKLE_STRING || name.type != PICKLE_STRING || module.number > MAX_GLOBAL ||
        name.number > MAX_GLOBAL)
        return machine_broken(machine, "a global without proper names");
    size_t length = (size_t)module.number + 1 + name.number;
    char *text = pickle_alloc(machine->memory, length, machine->error);
    if (!text)
        return false;
    memcpy(text, module.text, module.number);
    text[module.number] = '\n';
    memcpy(text + module.number + 1, name.text, name.number);
    return push_global(machine, text, length);
}

static bool reduce(PickleMachine *machine)
{
    PickleValue function, args, result;
    if (!machine_pop(machine, &args) || !machine_pop(machine, &function))
        return false;
    if (args.type != PICKLE_TUPLE)
        return machine_broken(machine, "arguments that are no tuple");
    if (function.type == PICKLE_OPAQUE)
        return machine_push(machine, function);
    if (function.type != PICKLE_GLOBAL)
        return machine_broken(machine, "a call of something that cannot be called");
    return machine->hooks->reduce(machine->user_data, function.number, args.items, &result,
                                  machine->error) &&
           machine_push(machine, result);
}

/* Instances of classes: opaque ones only. @n: how many operands follow the class. */
static bool new_object(PickleMachine *machine, int n)
{
    PickleValue operand, class;
    for (int i = 0; i < n; i++) {
        PickleType wanted = i == n - 1 ? PICKLE_TUPLE : PICKLE_DICT;
        if (!machine_pop(machine, &operand))
            return false;
        if (operand.type != wanted)
            return machine_broken(machine, "arguments of the wrong type");
    }
    if (!machine_pop(machine, &class))
        return false;
    if (class.type != PICKLE_OPAQUE)
        return machine_broken(machine, "an instance of something that is no class");
    return machine_push(machine, class);
}

/* State of instances is dropped: of an OrderedDict it is _metadata, of opaque values anything. */
static bool build(PickleMachine *machine)
{
    PickleValue state, target;
    if (!machine_pop(machine, &state) || !machine_top(machine, &target))
        return false;
    if (target.type == PICKLE_OPAQUE)
        return true;
    if (target.type != PICKLE_DICT && target.type != PICKLE_OBJECT)
        return machine_broken(machine, "state for something that has none");
    if (state.type != PICKLE_DICT && state.type != PICKLE_TUPLE && state.type != PICKLE_NONE)
        return machine_broken(machine, "state that is no dict");
    return true;
}

static bool persistent(PickleMachine *machine)
{
    PickleValue id, result;
    return machine_pop(machine, &id) &&
           machine->hooks->persistent(machine->user_data, &id, &result, machine->error) &&
           machine_push(machine, result);
}

/* Frames only say how far one could read ahead. */
static bool skip_frame(PickleMachine *machine)
{
    guint64 length;
    if (!machine_take_number(machine, 8, &length))
        return false;
    return length <= (guint64)(machine->end - machine->next) ||
           machine_broken(machine, "it is cut off");
}

static bool step(PickleMachine *machine, guint8 opcode)
{
    PickleValue ignored;
    switch (opcode) {
    case 'N':
        return machine_push(machine, (PickleValue){.type = PICKLE_NONE});
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
        return push_integer(machine, PICKLE_BOOL, opcode == 0x88);
    case 'K': /* BININT1 */
        return push_unsigned(machine, 1);
    case 'M': /* BININT2 */
        return push_unsigned(machine, 2);
    case 'J': /* BININT */
        return push_signed32(machine);
    case 0x8a: /* LONG1 */
        return push_long(machine);
    case 'G': /* BINFLOAT */
        return push_float(machine);
    case 'U':  /* SHORT_BINSTRING, of Python 2 */
    case 0x8c: /* SHORT_BINUNICODE */
        return push_text(machine, 1, true);
    case 'T': /* BINSTRING, of Python 2; a negative length is too long */
    case 'X': /* BINUNICODE */
        return push_text(machine, 4, true);
    case 'C': /* SHORT_BINBYTES */
        return push_text(machine, 1, false);
    case 'B': /* BINBYTES */
        return push_text(machine, 4, false);
    case 0x96: /* BYTEARRAY8 */
        return push_text(machine, 8, false);
    case ')': /* EMPTY_TUPLE */
        return push_empty(machine, PICKLE_TUPLE);
    case ']': /* EMPTY_LIST */
        return push_empty(machine, PICKLE_LIST);
    case '}': /* EMPTY_DICT */
        return push_empty(machine, PICKLE_DICT);
    case 0x8f: /* EMPTY_SET */
        return push_set(machine);
    case '(': /* MARK */
        return machine_push_mark(machine);
    case 't': /* TUPLE */
        return tuple_of_marked(machine);
    case 0x85: /* TUPLE1 */
    case 0x86: /* TUPLE2 */
    case 0x87: /* TUPLE3 */
        return tuple_of_top(machine, opcode - 0x84u);
    case 'a': /* APPEND */
        return add_top(machine, PICKLE_LIST);
    case 'e': /* APPENDS */
        return add_marked(machine, PICKLE_LIST);
    case 's': /* SETITEM */
        return add_top(machine, PICKLE_DICT);
    case 'u': /* SETITEMS */
        return add_marked(machine, PICKLE_DICT);
    case 0x90: /* ADDITEMS */
        return add_to_set(machine);
    case 0x91: /* FROZENSET */
        return drop_marked(machine) && push_set(machine);
    case '0': /* POP; picklers use it to drop marks too, but not for weights */
        return machine_pop(machine, &ignored);
    case '1': /* POP_MARK */
        return drop_marked(machine);
    case 'q': /* BINPUT */
        return take_memo_put(machine, 1);
    case 'r': /* LONG_BINPUT */
        return take_memo_put(machine, 4);
    case 0x94: /* MEMOIZE */
        return machine_memo_put(machine, machine->n_memo);
    case 'h': /* BINGET */
        return take_memo_get(machine, 1);
    case 'j': /* LONG_BINGET */
        return take_memo_get(machine, 4);
    case 'c': /* GLOBAL */
        return global_of_lines(machine);
    case 0x93: /* STACK_GLOBAL */
        return global_of_stack(machine);
    case 'R': /* REDUCE */
        return reduce(machine);
    case 0x81: /* NEWOBJ */
        return new_object(machine, 1);
    case 0x92: /* NEWOBJ_EX */
        return new_object(machine, 2);
    case 'b': /* BUILD */
        return build(machine);
    case 'Q': /* BINPERSID */
        return persistent(machine);
    case 0x95: /* FRAME */
        return skip_frame(machine);
    default:
        return machine_broken(machine, "opcode 0x%02x, which no file of weights needs", opcode);
    }
}

static bool take_protocol(PickleMachine *machine)
{
    guint64 start, protocol;
    if (!machine_take_number(machine, 1, &start))
        return false;
    if (start != 0x80)
        return pix_fail(machine->error, PIX_ERROR_UNSUPPORTED,
                        "has a pickle without a protocol number, as of protocols 0 and 1; save it "
                        "again with pickle_protocol=2");
    if (!machine_take_number(machine, 1, &protocol))
        return false;
    return (protocol >= 2 && protocol <= 5) ||
           pix_fail(machine->error, PIX_ERROR_UNSUPPORTED,
                    "is pickled with protocol %u, only 2 to 5 are read; save it again with "
                    "pickle_protocol=2",
                    (guint)protocol);
}

static bool run(PickleMachine *machine, PickleValue *result)
{
    guint64 opcode;
    if (!take_protocol(machine))
        return false;
    for (;;) {
        if (machine->n_opcodes++ == PICKLE_MAX_OPCODES)
            return machine_broken(machine, "more than %d opcodes", PICKLE_MAX_OPCODES);
        if (!machine_take_number(machine, 1, &opcode))
            return false;
        if (opcode == '.')
            break;
        if (!step(machine, (guint8)opcode))
            return false;
    }
    if (machine->marks.n != 0 || machine->stack.n != 1)
        return machine_broken(machine, "it ends with %u values instead of one", machine->stack.n);
    return machine_pop(machine, result);
}

bool pickle_run(const guint8 *data, size_t size, PickleMemory *memory, const PickleHooks *hooks,
                gpointer user_data, size_t *used, PickleValue *result, GError **error)
{
    PickleMachine machine = {.start = data,
                             .next = data,
                             .end = size > 0 ? data + size : data,
                             .memory = memory,
                             .hooks = hooks,
                             .user_data = user_data,
                             .error = error};
    bool ok = run(&machine, result);
    *used = (size_t)(machine.next - data);
    return ok;
}
