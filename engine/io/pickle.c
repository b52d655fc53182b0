/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pickle.h"

#include "error.h"

#include <string.h>

#define MAX_GLOBAL 512 /* bytes of a module's or a class's name */

typedef struct {
    const guint8 *start, *next, *end;
    PickleMemory *memory;
    const PickleHooks *hooks;
    gpointer user_data;
    PickleItems stack;
    PickleItems marks; /* INT: how high the stack was */
    PickleItems memo;  /* UNSET where nothing was put */
    guint32 n_opcodes, n_memo;
    GError **error;
} Machine;

static void G_GNUC_PRINTF(2, 3) set_broken(Machine *machine, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    pix_fail(machine->error, PIX_ERROR_BAD_CHECKPOINT, "is broken: byte %zu of its pickle: %s",
             (size_t)(machine->next - machine->start), text);
}

/* A false that the compiler sees, so that it knows which values are set afterwards. */
#define broken(...) (set_broken(__VA_ARGS__), false)

/* ---- operands in the text ---- */

static bool take_bytes(Machine *machine, size_t n, const guint8 **bytes)
{
    if (n > (size_t)(machine->end - machine->next))
        return broken(machine, "it is cut off");
    *bytes = machine->next;
    machine->next += n;
    return true;
}

/* A little-endian number of @n bytes, at most 8. */
static bool take_number(Machine *machine, size_t n, guint64 *number)
{
    const guint8 *bytes;
    if (!take_bytes(machine, n, &bytes))
        return false;
    *number = 0;
    for (size_t i = n; i-- > 0;)
        *number = *number << 8 | bytes[i];
    return true;
}

static bool take_line(Machine *machine, const char **text, size_t *length)
{
    size_t left = MIN((size_t)(machine->end - machine->next), MAX_GLOBAL);
    const guint8 *newline = memchr(machine->next, '\n', left);
    if (!newline)
        return broken(machine, "a name without end");
    *text = (const char *)machine->next;
    *length = (size_t)(newline - machine->next);
    machine->next = newline + 1;
    return true;
}

/* ---- stack ---- */

static bool push(Machine *machine, PickleValue value)
{
    if (machine->stack.n >= PICKLE_MAX_ITEMS)
        return broken(machine, "more than %d values at once", PICKLE_MAX_ITEMS);
    return pickle_append(machine->memory, &machine->stack, value, machine->error);
}

/* How many values lie above the last mark: no opcode may reach below it. */
static guint32 height(const Machine *machine)
{
    guint32 marks = machine->marks.n;
    guint32 floor = marks ? (guint32)machine->marks.values[marks - 1].integer : 0;
    return machine->stack.n - floor;
}

static bool pop(Machine *machine, PickleValue *value)
{
    if (height(machine) == 0)
        return broken(machine, "a value is missing from the stack");
    *value = machine->stack.values[--machine->stack.n];
    return true;
}

static bool top(Machine *machine, PickleValue *value)
{
    if (height(machine) == 0)
        return broken(machine, "a value is missing from the stack");
    *value = machine->stack.values[machine->stack.n - 1];
    return true;
}

/* Takes the values above the last mark, which stay valid until the next push. */
static bool pop_to_mark(Machine *machine, const PickleValue **values, guint32 *n)
{
    if (machine->marks.n == 0)
        return broken(machine, "a mark is missing");
    *n = height(machine);
    machine->stack.n -= *n;
    machine->marks.n--;
    *values = machine->stack.values + machine->stack.n;
    return true;
}

static bool push_mark(Machine *machine)
{
    PickleValue mark = {.type = PICKLE_INT, .integer = machine->stack.n};
    return pickle_append(machine->memory, &machine->marks, mark, machine->error);
}

/* ---- plain values ---- */

static bool push_integer(Machine *machine, PickleType type, gint64 integer)
{
    return push(machine, (PickleValue){.type = type, .integer = integer});
}

static bool push_unsigned(Machine *machine, size_t n)
{
    guint64 number;
    return take_number(machine, n, &number) && push_integer(machine, PICKLE_INT, (gint64)number);
}

static bool push_signed32(Machine *machine)
{
    guint64 number;
    return take_number(machine, 4, &number) &&
           push_integer(machine, PICKLE_INT, (gint32)(guint32)number);
}

/* LONG1: two's complement of any length. No size needs more than 8 bytes. */
static bool push_long(Machine *machine)
{
    static const char large[] = "a large integer";
    const guint8 *bytes;
    guint64 n, number = 0;
    if (!take_number(machine, 1, &n) || !take_bytes(machine, (size_t)n, &bytes))
        return false;
    if (n > 8)
        return push(machine, pickle_opaque(large, strlen(large)));
    if (n > 0 && bytes[n - 1] & 0x80)
        number = G_MAXUINT64;
    for (size_t i = n; i-- > 0;)
        number = number << 8 | bytes[i];
    return push_integer(machine, PICKLE_INT, (gint64)number);
}

static bool push_float(Machine *machine)
{
    const guint8 *bytes;
    guint64 bits;
    PickleValue value = {.type = PICKLE_FLOAT};
    if (!take_bytes(machine, 8, &bytes))
        return false;
    memcpy(&bits, bytes, sizeof bits);
    bits = GUINT64_FROM_BE(bits);
    memcpy(&value.real, &bits, sizeof bits);
    return push(machine, value);
}

/* Text or bytes after a length of @n bytes. */
static bool push_text(Machine *machine, size_t n, bool is_text)
{
    static const char long_text[] = "a long string", raw[] = "bytes";
    const guint8 *bytes;
    guint64 length;
    if (!take_number(machine, n, &length) || !take_bytes(machine, (size_t)length, &bytes))
        return false;
    if (!is_text)
        return push(machine, pickle_opaque(raw, strlen(raw)));
    if (length > PICKLE_MAX_STRING)
        return push(machine, pickle_opaque(long_text, strlen(long_text)));
    return push(machine, (PickleValue){.type = PICKLE_STRING,
                                       .number = (guint32)length,
                                       .text = (const char *)bytes});
}

/* ---- tuples, lists, dicts ---- */

static bool push_empty(Machine *machine, PickleType type)
{
    PickleValue value;
    return pickle_new_items(machine->memory, type, &value, machine->error) && push(machine, value);
}

static bool push_tuple(Machine *machine, const PickleValue *values, guint32 n)
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
    return push(machine, tuple);
}

static bool tuple_of_marked(Machine *machine)
{
    const PickleValue *values;
    guint32 n;
    return pop_to_mark(machine, &values, &n) && push_tuple(machine, values, n);
}

static bool tuple_of_top(Machine *machine, guint32 n)
{
    if (height(machine) < n)
        return broken(machine, "a value is missing from the stack");
    machine->stack.n -= n;
    return push_tuple(machine, machine->stack.values + machine->stack.n, n);
}

/* Adds @n values to the list or dict on top of the stack; an opaque one swallows them. */
static bool add_items(Machine *machine, PickleType type, const PickleValue *values, guint32 n)
{
    PickleValue target;
    if (!top(machine, &target))
        return false;
    if (target.type == PICKLE_OPAQUE)
        return true;
    if (target.type != type)
        return broken(machine, "items for something that is no %s",
                      type == PICKLE_LIST ? "list" : "dict");
    guint32 limit = PICKLE_MAX_ITEMS * (type == PICKLE_DICT ? 2 : 1);
    if (n > limit - target.items->n)
        return broken(machine, "more than %d items", PICKLE_MAX_ITEMS);
    for (guint32 i = 0; i < n; i++)
        if (!pickle_append(machine->memory, target.items, values[i], machine->error))
            return false;
    return true;
}

static bool add_marked(Machine *machine, PickleType type)
{
    const PickleValue *values;
    guint32 n;
    if (!pop_to_mark(machine, &values, &n))
        return false;
    if (type == PICKLE_DICT && n % 2)
        return broken(machine, "a key without a value");
    return add_items(machine, type, values, n);
}

static bool add_top(Machine *machine, PickleType type)
{
    guint32 n = type == PICKLE_DICT ? 2 : 1;
    if (height(machine) < n)
        return broken(machine, "a value is missing from the stack");
    machine->stack.n -= n;
    return add_items(machine, type, machine->stack.values + machine->stack.n, n);
}

static bool push_set(Machine *machine)
{
    static const char set[] = "a set";
    return push(machine, pickle_opaque(set, strlen(set)));
}

static bool drop_marked(Machine *machine)
{
    const PickleValue *values;
    guint32 n;
    return pop_to_mark(machine, &values, &n);
}

static bool add_to_set(Machine *machine)
{
    PickleValue target;
    if (!drop_marked(machine) || !top(machine, &target))
        return false;
    return target.type == PICKLE_OPAQUE || broken(machine, "items for something that is no set");
}

/* ---- memo ---- */

static bool memo_put(Machine *machine, guint64 index)
{
    PickleValue value;
    if (!top(machine, &value))
        return false;
    /* Picklers number what they see: an index beyond the opcodes so far is an attack on memory. */
    if (index >= machine->n_opcodes)
        return broken(machine, "a memo index out of range");
    while (machine->memo.n <= index)
        if (!pickle_append(machine->memory, &machine->memo, (PickleValue){0}, machine->error))
            return false;
    if (machine->memo.values[index].type == PICKLE_UNSET)
        machine->n_memo++;
    machine->memo.values[index] = value;
    return true;
}

static bool take_memo_put(Machine *machine, size_t n)
{
    guint64 index;
    return take_number(machine, n, &index) && memo_put(machine, index);
}

static bool memo_get(Machine *machine, size_t n)
{
    guint64 index;
    if (!take_number(machine, n, &index))
        return false;
    if (index >= machine->memo.n || machine->memo.values[index].type == PICKLE_UNSET)
        return broken(machine, "a memo index that nothing was put at");
    return push(machine, machine->memo.values[index]);
}

/* ---- globals and what is made of them ---- */

static bool push_global(Machine *machine, const char *name, size_t length)
{
    int number = machine->hooks->global(name, length);
    return push(machine, number < 0
                             ? pickle_opaque(name, length)
                             : (PickleValue){.type = PICKLE_GLOBAL, .number = (guint32)number});
}

static bool global_of_lines(Machine *machine)
{
    const char *module, *name;
    size_t module_length, name_length;
    return take_line(machine, &module, &module_length) && take_line(machine, &name, &name_length) &&
           push_global(machine, module, (size_t)(name - module) + name_length);
}

static bool global_of_stack(Machine *machine)
{
    PickleValue module, name;
    if (!pop(machine, &name) || !pop(machine, &module))
        return false;
    if (module.type != PICKLE_STRING || name.type != PICKLE_STRING || module.number > MAX_GLOBAL ||
        name.number > MAX_GLOBAL)
        return broken(machine, "a global without proper names");
    size_t length = (size_t)module.number + 1 + name.number;
    char *text = pickle_alloc(machine->memory, length, machine->error);
    if (!text)
        return false;
    memcpy(text, module.text, module.number);
    text[module.number] = '\n';
    memcpy(text + module.number + 1, name.text, name.number);
    return push_global(machine, text, length);
}

static bool reduce(Machine *machine)
{
    PickleValue function, args, result;
    if (!pop(machine, &args) || !pop(machine, &function))
        return false;
    if (args.type != PICKLE_TUPLE)
        return broken(machine, "arguments that are no tuple");
    if (function.type == PICKLE_OPAQUE)
        return push(machine, function);
    if (function.type != PICKLE_GLOBAL)
        return broken(machine, "a call of something that cannot be called");
    return machine->hooks->reduce(machine->user_data, function.number, args.items, &result,
                                  machine->error) &&
           push(machine, result);
}

/* Instances of classes: opaque ones only. @n: how many operands follow the class. */
static bool new_object(Machine *machine, int n)
{
    PickleValue operand, class;
    for (int i = 0; i < n; i++) {
        PickleType wanted = i == n - 1 ? PICKLE_TUPLE : PICKLE_DICT;
        if (!pop(machine, &operand))
            return false;
        if (operand.type != wanted)
            return broken(machine, "arguments of the wrong type");
    }
    if (!pop(machine, &class))
        return false;
    if (class.type != PICKLE_OPAQUE)
        return broken(machine, "an instance of something that is no class");
    return push(machine, class);
}

/* State of instances is dropped: of an OrderedDict it is _metadata, of opaque values anything. */
static bool build(Machine *machine)
{
    PickleValue state, target;
    if (!pop(machine, &state) || !top(machine, &target))
        return false;
    if (target.type == PICKLE_OPAQUE)
        return true;
    if (target.type != PICKLE_DICT && target.type != PICKLE_OBJECT)
        return broken(machine, "state for something that has none");
    if (state.type != PICKLE_DICT && state.type != PICKLE_TUPLE && state.type != PICKLE_NONE)
        return broken(machine, "state that is no dict");
    return true;
}

static bool persistent(Machine *machine)
{
    PickleValue id, result;
    return pop(machine, &id) &&
           machine->hooks->persistent(machine->user_data, &id, &result, machine->error) &&
           push(machine, result);
}

/* Frames only say how far one could read ahead. */
static bool skip_frame(Machine *machine)
{
    guint64 length;
    if (!take_number(machine, 8, &length))
        return false;
    return length <= (guint64)(machine->end - machine->next) || broken(machine, "it is cut off");
}

static bool step(Machine *machine, guint8 opcode)
{
    PickleValue ignored;
    switch (opcode) {
    case 'N':
        return push(machine, (PickleValue){.type = PICKLE_NONE});
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
    case ')': /* EMPTY_TUPLE */
        return push_empty(machine, PICKLE_TUPLE);
    case ']': /* EMPTY_LIST */
        return push_empty(machine, PICKLE_LIST);
    case '}': /* EMPTY_DICT */
        return push_empty(machine, PICKLE_DICT);
    case 0x8f: /* EMPTY_SET */
        return push_set(machine);
    case '(': /* MARK */
        return push_mark(machine);
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
        return pop(machine, &ignored);
    case '1': /* POP_MARK */
        return drop_marked(machine);
    case 'q': /* BINPUT */
        return take_memo_put(machine, 1);
    case 'r': /* LONG_BINPUT */
        return take_memo_put(machine, 4);
    case 0x94: /* MEMOIZE */
        return memo_put(machine, machine->n_memo);
    case 'h': /* BINGET */
        return memo_get(machine, 1);
    case 'j': /* LONG_BINGET */
        return memo_get(machine, 4);
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
        return broken(machine, "opcode 0x%02x, which no file of weights needs", opcode);
    }
}

static bool run(Machine *machine, PickleValue *result)
{
    guint64 opcode, protocol;
    if (machine->next == machine->end || *machine->next != 0x80)
        return broken(machine, "no protocol number");
    machine->next++;
    if (!take_number(machine, 1, &protocol))
        return false;
    if (protocol < 2 || protocol > 4)
        return broken(machine, "protocol %u; only 2, 3 and 4 are read", (guint)protocol);
    for (;;) {
        if (machine->n_opcodes++ == PICKLE_MAX_OPCODES)
            return broken(machine, "more than %d opcodes", PICKLE_MAX_OPCODES);
        if (!take_number(machine, 1, &opcode))
            return false;
        if (opcode == '.')
            break;
        if (!step(machine, (guint8)opcode))
            return false;
    }
    if (machine->marks.n != 0 || machine->stack.n != 1)
        return broken(machine, "it ends with %u values instead of one", machine->stack.n);
    return pop(machine, result);
}

bool pickle_run(const guint8 *data, size_t size, PickleMemory *memory, const PickleHooks *hooks,
                gpointer user_data, size_t *used, PickleValue *result, GError **error)
{
    Machine machine = {.start = data,
                       .next = data,
                       .end = data + size,
                       .memory = memory,
                       .hooks = hooks,
                       .user_data = user_data,
                       .error = error};
    bool ok = run(&machine, result);
    *used = (size_t)(machine.next - data);
    return ok;
}
