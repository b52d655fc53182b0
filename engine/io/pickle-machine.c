/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pickle-machine.h"

#include "container-private.h"
#include "error.h"

void machine_set_broken(PickleMachine *machine, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    pix_broken(machine->error, "byte %zu of its pickle: %s",
               (size_t)(machine->next - machine->start), text);
}

/* ---- operands in the text ---- */

bool machine_take_bytes(PickleMachine *machine, size_t n, const guint8 **bytes)
{
    if (n > (size_t)(machine->end - machine->next)) {
        machine_set_broken(machine, "it is cut off");
        machine->next = machine->end; /* so that the caller sees that all was used */
        return false;
    }
    *bytes = machine->next;
    machine->next += n;
    return true;
}

bool machine_take_number(PickleMachine *machine, size_t n, guint64 *number)
{
    const guint8 *bytes;
    if (!machine_take_bytes(machine, n, &bytes))
        return false;
    *number = 0;
    for (size_t i = n; i > 0; i--)
        *number = *number << 8 | bytes[i - 1];
    return true;
}

/* ---- stack ---- */

bool machine_push(PickleMachine *machine, PickleValue value)
{
    if (machine->stack.n >= PICKLE_MAX_ITEMS)
        return machine_broken(machine, "more than %d values at once", PICKLE_MAX_ITEMS);
    return pickle_append(machine->memory, &machine->stack, value, machine->error);
}

guint32 machine_height(const PickleMachine *machine)
{
    guint32 marks = machine->marks.n;
    guint32 floor = marks ? (guint32)machine->marks.values[marks - 1].integer : 0;
    return machine->stack.n - floor;
}

bool machine_pop(PickleMachine *machine, PickleValue *value)
{
    if (machine_height(machine) == 0)
        return machine_broken(machine, "a value is missing from the stack");
    *value = machine->stack.values[--machine->stack.n];
    return true;
}

bool machine_top(PickleMachine *machine, PickleValue *value)
{
    if (machine_height(machine) == 0)
        return machine_broken(machine, "a value is missing from the stack");
    *value = machine->stack.values[machine->stack.n - 1];
    return true;
}

bool machine_pop_to_mark(PickleMachine *machine, const PickleValue **values, guint32 *n)
{
    if (machine->marks.n == 0)
        return machine_broken(machine, "a mark is missing");
    *n = machine_height(machine);
    machine->stack.n -= *n;
    machine->marks.n--;
    *values = *n ? machine->stack.values + machine->stack.n : NULL;
    return true;
}

bool machine_push_mark(PickleMachine *machine)
{
    PickleValue mark = {.type = PICKLE_INT, .integer = machine->stack.n};
    return pickle_append(machine->memory, &machine->marks, mark, machine->error);
}

/* ---- memo ---- */

bool machine_memo_put(PickleMachine *machine, guint64 index)
{
    PickleValue value;
    if (!machine_top(machine, &value))
        return false;
    /* Picklers number what they see: an index beyond the opcodes so far is an attack on memory. */
    if (index >= machine->n_opcodes)
        return machine_broken(machine, "a memo index out of range");
    while (machine->memo.n <= index)
        if (!pickle_append(machine->memory, &machine->memo, (PickleValue){0}, machine->error))
            return false;
    if (machine->memo.values[index].type == PICKLE_UNSET)
        machine->n_memo++;
    machine->memo.values[index] = value;
    return true;
}

bool machine_memo_get(PickleMachine *machine, guint64 index)
{
    if (index >= machine->memo.n || machine->memo.values[index].type == PICKLE_UNSET)
        return machine_broken(machine, "a memo index that nothing was put at");
    return machine_push(machine, machine->memo.values[index]);
}
