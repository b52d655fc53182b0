/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pickle.h"

#include "container-private.h"
#include "error.h"

#include <string.h>

#define BLOCK (64 * 1024)

void pickle_memory_init(PickleMemory *memory)
{
    *memory = (PickleMemory){.blocks = g_ptr_array_new_with_free_func(g_free)};
}

void pickle_memory_clear(PickleMemory *memory)
{
    g_ptr_array_unref(memory->blocks);
    *memory = (PickleMemory){0};
}

void *pickle_alloc(PickleMemory *memory, size_t bytes, GError **error)
{
    bytes = MIN(bytes, PICKLE_MAX_MEMORY); /* more is as impossible, and could wrap around */
    bytes = (bytes + 15) & ~(size_t)15;
    if (bytes > memory->left) {
        size_t block_bytes = MAX(bytes, BLOCK);
        if (block_bytes > PICKLE_MAX_MEMORY - memory->total || bytes == PICKLE_MAX_MEMORY) {
            pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                     "holds too many Python objects beside its weights; save the state_dict alone");
            return NULL;
        }
        char *block = pix_try_alloc(block_bytes, 1, error);
        if (!block)
            return NULL;
        memory->total += block_bytes;
        g_ptr_array_add(memory->blocks, block);
        /* What is left of the block before is lost, unless it is more than what is new. */
        if (block_bytes - bytes < memory->left)
            return memset(block, 0, bytes);
        memory->next = block;
        memory->left = block_bytes;
    }
    void *result = memset(memory->next, 0, bytes);
    memory->next += bytes;
    memory->left -= bytes;
    return result;
}

bool pickle_append(PickleMemory *memory, PickleItems *items, PickleValue value, GError **error)
{
    if (items->n == items->capacity) {
        guint32 capacity = items->capacity ? 2 * items->capacity : 4;
        PickleValue *values = pickle_alloc(memory, capacity * sizeof *values, error);
        if (!values)
            return false;
        if (items->n > 0)
            memcpy(values, items->values, items->n * sizeof *values);
        items->values = values;
        items->capacity = capacity;
    }
    items->values[items->n++] = value;
    return true;
}

bool pickle_new_items(PickleMemory *memory, PickleType type, PickleValue *value, GError **error)
{
    *value = (PickleValue){.type = type, .items = pickle_alloc(memory, sizeof(PickleItems), error)};
    return value->items != NULL;
}

PickleValue pickle_opaque(const char *text, size_t length)
{
    return (PickleValue){
        .type = PICKLE_OPAQUE, .number = (guint32)MIN(length, G_MAXUINT32), .text = text};
}

char *pickle_describe(const PickleValue *value)
{
    static const char *const words[] = {
        [PICKLE_UNSET] = "nothing",
        [PICKLE_NONE] = "None",
        [PICKLE_BOOL] = "a bool",
        [PICKLE_INT] = "a number",
        [PICKLE_FLOAT] = "a number",
        [PICKLE_STRING] = "a string",
        [PICKLE_TUPLE] = "a tuple",
        [PICKLE_LIST] = "a list",
        [PICKLE_DICT] = "a dict",
        [PICKLE_GLOBAL] = "a function",
        [PICKLE_OBJECT] = "a tensor or storage",
    };
    if (value->type != PICKLE_OPAQUE)
        return g_strdup(words[value->type]);
    char *text = pix_printable(value->text, value->number);
    char *newline = memchr(value->text, '\n', MIN(value->number, strlen(text)));
    if (newline)
        text[newline - value->text] = '.';
    return text;
}

bool pickle_string_is(const PickleValue *value, const char *text)
{
    return value->type == PICKLE_STRING && value->number == strlen(text) &&
           memcmp(value->text, text, value->number) == 0;
}
