/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "train-state.h"

#include <math.h>
#include <pix2pix/pix.h>
#include <string.h>

#define FORMAT "1"
#define MAX_STEP 1000000000000000 /* of --max-steps */
#define MAX_EPOCH 4000000         /* twice as many as can be asked for */

typedef enum { FIELD_TEXT, FIELD_COUNT, FIELD_BOOL, FIELD_NUMBER } FieldType;

#define FIELD(member) #member, G_STRUCT_OFFSET(TrainState, member)

/* Every one of them has to be there. */
static const struct {
    const char *name;
    gsize offset;
    FieldType type;
} fields[] = {
    {FIELD(kind), FIELD_TEXT},          {FIELD(settings), FIELD_TEXT},
    {FIELD(dataset), FIELD_TEXT},       {FIELD(pairs), FIELD_COUNT},
    {FIELD(seed), FIELD_COUNT},         {FIELD(step), FIELD_COUNT},
    {FIELD(epoch), FIELD_COUNT},        {FIELD(batch), FIELD_COUNT},
    {FIELD(plateau.begun), FIELD_BOOL}, {FIELD(plateau.best), FIELD_NUMBER},
    {FIELD(plateau.bad), FIELD_COUNT},  {FIELD(plateau.reductions), FIELD_COUNT},
    {FIELD(best_metric), FIELD_TEXT},   {FIELD(best), FIELD_NUMBER},
    {FIELD(best_step), FIELD_COUNT},    {FIELD(validated), FIELD_COUNT},
    {FIELD(sampled), FIELD_COUNT},      {FIELD(losses), FIELD_TEXT},
    {FIELD(summed), FIELD_COUNT},       {FIELD(batches), FIELD_COUNT},
    {FIELD(config), FIELD_TEXT},        {FIELD(before), FIELD_TEXT},
};

static void *field_of(const TrainState *state, gsize i)
{
    return (char *)state + fields[i].offset;
}

void train_state_init(TrainState *state)
{
    memset(state, 0, sizeof(*state));
    state->epoch = 1;
    state->batches = 1;
    state->best = NAN;
}

void train_state_clear(TrainState *state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (fields[i].type == FIELD_TEXT)
            g_clear_pointer((char **)field_of(state, i), g_free);
    }
}

static char *print_number(double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    return g_strdup(g_ascii_formatd(text, sizeof(text), "%.17g", value));
}

static char *print_field(const TrainState *state, gsize i)
{
    const void *field = field_of(state, i);

    switch (fields[i].type) {
    case FIELD_TEXT:
        return g_strdup(*(char *const *)field ? *(char *const *)field : "");
    case FIELD_COUNT:
        return g_strdup_printf("%" G_GUINT64_FORMAT, *(const guint64 *)field);
    case FIELD_BOOL:
        return g_strdup(*(const gboolean *)field ? "1" : "0");
    case FIELD_NUMBER:
        return print_number(*(const double *)field);
    }
    g_assert_not_reached();
}

static char *print_sums(const TrainState *state)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    for (int i = 0; i < TRAIN_STATE_MAX_LOSSES; i++)
        g_ptr_array_add(words, print_number(state->sums[i]));
    g_ptr_array_add(words, NULL);
    return g_strjoinv(" ", (char **)words->pdata);
}

GHashTable *train_state_write(const TrainState *state)
{
    GHashTable *metadata = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    g_hash_table_insert(metadata, g_strdup("format"), g_strdup(FORMAT));
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        g_hash_table_insert(metadata, g_strdup(fields[i].name), print_field(state, i));
    g_hash_table_insert(metadata, g_strdup("sums"), print_sums(state));
    return metadata;
}

static gboolean read_number(const char *text, double *number)
{
    char *end;

    *number = g_ascii_strtod(text, &end);
    return *text && !*end;
}

static gboolean read_field(TrainState *state, gsize i, const char *text)
{
    void *field = field_of(state, i);
    guint64 number;

    switch (fields[i].type) {
    case FIELD_TEXT:
        g_free(*(char **)field);
        *(char **)field = g_strdup(text);
        return TRUE;
    case FIELD_COUNT:
        return g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, field, NULL);
    case FIELD_BOOL:
        if (!g_ascii_string_to_unsigned(text, 10, 0, 1, &number, NULL))
            return FALSE;
        *(gboolean *)field = number == 1;
        return TRUE;
    case FIELD_NUMBER:
        return read_number(text, field);
    }
    g_assert_not_reached();
}

static gboolean read_sums(TrainState *state, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    if (g_strv_length(words) != TRAIN_STATE_MAX_LOSSES)
        return FALSE;
    for (int i = 0; i < TRAIN_STATE_MAX_LOSSES; i++) {
        if (!read_number(words[i], &state->sums[i]))
            return FALSE;
    }
    return TRUE;
}

static gboolean bad_field(const char *file, const char *name, const char *text, GError **error)
{
    g_set_error(error, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT,
                text ? "%s: its field '%s' makes no sense: '%s'" : "%s: has no field '%s'", file,
                name, text);
    return FALSE;
}

/* Returns: the first field whose value no run comes to; %NULL. */
static const char *find_nonsense(const TrainState *state)
{
    const struct {
        const char *name;
        guint64 value, least, most;
    } ranges[] = {
        {"pairs", state->pairs, 1, G_MAXINT},
        {"batches", state->batches, 1, state->pairs},
        {"batch", state->batch, 0, state->batches - 1},
        {"epoch", state->epoch, 1, MAX_EPOCH},
        {"step", state->step, 1, MAX_STEP},
        {"plateau.bad", state->plateau.bad, 0, state->step},
        {"plateau.reductions", state->plateau.reductions, 0, state->step},
        {"best_step", state->best_step, 0, state->step},
        {"validated", state->validated, 0, state->step},
        {"sampled", state->sampled, 0, state->step},
        {"summed", state->summed, 0, state->step},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(ranges); i++) {
        if (ranges[i].value < ranges[i].least || ranges[i].value > ranges[i].most)
            return ranges[i].name;
    }
    return NULL;
}

gboolean train_state_read(TrainState *state, GHashTable *metadata, const char *file, GError **error)
{
    const char *format = g_hash_table_lookup(metadata, "format");
    const char *sums = g_hash_table_lookup(metadata, "sums");

    train_state_clear(state);
    train_state_init(state);
    if (!format || strcmp(format, FORMAT))
        return bad_field(file, "format", format, error);
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        const char *text = g_hash_table_lookup(metadata, fields[i].name);
        if (!text || !read_field(state, i, text))
            return bad_field(file, fields[i].name, text, error);
    }
    if (!sums || !read_sums(state, sums))
        return bad_field(file, "sums", sums, error);
    const char *name = find_nonsense(state);
    return !name || bad_field(file, name, g_hash_table_lookup(metadata, name), error);
}
