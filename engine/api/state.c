/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The state of a run in one safetensors file: for each network NAME the tensors NAME.weights.KEY,
 * NAME.exp_avg.KEY, NAME.exp_avg_sq.KEY and, where there is one, NAME.average.KEY; the number of
 * Adam's steps in the metadata under NAME.steps; a checksum at the end.
 */
#include <math.h>
#include <string.h>

#include "container.h"
#include "error.h"
#include "network.h"
#include "reader.h"
#include "safetensors.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PixContainer, pix_container_free)

typedef enum { SET_WEIGHTS, SET_FIRST, SET_SECOND, SET_AVERAGE, SET_COUNT } Set;
static const char *const set_names[] = {"weights", "exp_avg", "exp_avg_sq", "average"};

/** One tensor of the file. */
typedef struct {
    PixNetwork *network;
    Set set;
    int index; /* of the parameter */
    char *name;
} Item;

static void clear_item(gpointer item)
{
    g_free(((Item *)item)->name);
}

static PixParams *params_of(const PixNetwork *network, Set set)
{
    return set == SET_WEIGHTS  ? network->model->params
           : set == SET_FIRST  ? network->first_moments
           : set == SET_SECOND ? network->second_moments
                               : network->average;
}

/* All tensors, in the order of the file. */
static GArray *list_items(const PixStateNetwork *networks, guint n_networks)
{
    GArray *items = g_array_new(FALSE, FALSE, sizeof(Item));
    g_array_set_clear_func(items, clear_item);
    for (guint i = 0; i < n_networks; i++)
        for (int set = 0; set < SET_COUNT; set++) {
            PixNetwork *network = networks[i].network;
            const PixGraph *graph = network->model->graph;
            for (guint j = 0; params_of(network, set) && j < graph->params->len; j++) {
                const PixParam *param = pix_graph_param(graph, (int)j);
                if (set != SET_WEIGHTS && !pix_slot_is_trained(param->slot))
                    continue;
                char *name = g_strjoin(".", networks[i].name, set_names[set], param->name, NULL);
                Item item = {network, set, (int)j, name};
                g_array_append_val(items, item);
            }
        }
    return items;
}

static const PixParam *param_of(const Item *item)
{
    return pix_graph_param(item->network->model->graph, item->index);
}

static size_t largest_of(const GArray *items)
{
    size_t largest = 1;
    for (guint i = 0; i < items->len; i++)
        largest = MAX(largest, pix_param_count(param_of(&g_array_index(items, Item, i))));
    return largest;
}

/* ---- saving ---- */

typedef struct {
    const char *file;
    GArray *items;
    float *values;
} Saver;

static bool fill(gpointer user_data, guint index, void *bytes, GError **error)
{
    const Saver *saver = user_data;
    const Item *item = &g_array_index(saver->items, Item, index);
    size_t count = pix_param_count(param_of(item));
    if (!pix_params_read(params_of(item->network, item->set), item->network->model->graph,
                         item->index, saver->values, error))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!isfinite(saver->values[i]))
            return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                            "%s: not written: %s holds NaN or infinite values", saver->file,
                            item->name);
    pix_dtype_from_floats(PIX_DTYPE_F32, saver->values, bytes, count);
    return true;
}

static GArray *list_tensors(const GArray *items)
{
    GArray *tensors = g_array_new(FALSE, TRUE, sizeof(PixTensorSource));
    for (guint i = 0; i < items->len; i++) {
        const Item *item = &g_array_index(items, Item, i);
        const PixParam *param = param_of(item);
        PixTensorSource tensor = {.name = item->name, .dtype = PIX_DTYPE_F32, .rank = param->rank};
        for (int j = 0; j < param->rank; j++)
            tensor.dims[j] = (guint64)param->dims[j];
        g_array_append_val(tensors, tensor);
    }
    PixTensorSource checksum = {
        .name = "checksum", .dtype = PIX_DTYPE_I64, .rank = 1, .dims = {1}, .checksum = true};
    g_array_append_val(tensors, checksum);
    return tensors;
}

static char *steps_key(const PixStateNetwork *network)
{
    return g_strconcat(network->name, ".steps", NULL);
}

/* @metadata and what the state itself needs. */
static GHashTable *complete_metadata(const PixStateNetwork *networks, guint n_networks,
                                     GHashTable *metadata)
{
    GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, metadata);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_insert(all, g_strdup(key), g_strdup(value));
    for (guint i = 0; i < n_networks; i++)
        g_hash_table_insert(all, steps_key(&networks[i]),
                            g_strdup_printf("%" G_GUINT64_FORMAT, networks[i].network->steps));
    return all;
}

gboolean pix_state_save(const char *file, const PixStateNetwork *networks, guint n_networks,
                        GHashTable *metadata, GError **error)
{
    g_return_val_if_fail(file && networks && metadata, FALSE);
    for (guint i = 0; i < n_networks; i++)
        pix_network_touch_moments(networks[i].network);
    g_autoptr(GArray) items = list_items(networks, n_networks);
    g_autoptr(GArray) tensors = list_tensors(items);
    g_autoptr(GHashTable) all = complete_metadata(networks, n_networks, metadata);
    g_autofree float *values = pix_try_alloc(largest_of(items), sizeof(float), error);
    if (!values) {
        g_prefix_error(error, "%s: ", file);
        return FALSE;
    }
    Saver saver = {file, items, values};
    return pix_safetensors_write(file, (const PixTensorSource *)tensors->data, tensors->len, all,
                                 fill, &saver, error);
}

guint64 pix_state_get_bytes(const PixStateNetwork *networks, guint n_networks)
{
    g_return_val_if_fail(networks, 0);
    g_autoptr(GArray) items = list_items(networks, n_networks);
    guint64 count = 0;
    for (guint i = 0; i < items->len; i++)
        count += pix_param_count(param_of(&g_array_index(items, Item, i)));
    return count * sizeof(float);
}

/* ---- loading ---- */

static PixContainer *open_state(const char *file, GError **error)
{
    return pix_safetensors_verify(file, error) ? pix_container_open(file, error) : NULL;
}

GHashTable *pix_state_open(const char *file, GError **error)
{
    g_return_val_if_fail(file, NULL);
    g_autoptr(PixContainer) container = open_state(file, error);
    return container ? g_hash_table_ref(pix_container_get_metadata(container)) : NULL;
}

static bool load_item(PixContainer *container, const Item *item, float *values, GError **error)
{
    const PixParam *param = param_of(item);
    const char *file = pix_container_get_label(container);
    const PixEntry *entry = pix_container_find(container, "", item->name);
    if (!entry)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "%s: has no tensor %s", file, item->name);
    bool same = entry->rank == param->rank;
    for (int i = 0; same && i < param->rank; i++)
        same = entry->dims[i] == (guint64)param->dims[i];
    if (!same)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                        "%s: tensor %s has another shape than this network's", file, item->name);
    return pix_container_read(container, entry, values, error) &&
           pix_params_write(params_of(item->network, item->set), item->network->model->graph,
                            item->index, values, error);
}

/* What the file says beside its tensors: steps, and whether there is a moving average. */
static bool load_counters(PixContainer *container, const PixStateNetwork *state, GError **error)
{
    PixNetwork *network = state->network;
    g_autofree char *key = steps_key(state);
    const char *steps = g_hash_table_lookup(pix_container_get_metadata(container), key);
    if (!steps || !g_ascii_string_to_unsigned(steps, 10, 0, G_MAXINT64, &network->steps, NULL))
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "%s: its metadata has no number %s",
                        pix_container_get_label(container), key);
    network->has_moments = true;
    network->fresh = true;
    g_autofree char *average = g_strjoin(".", state->name, set_names[SET_AVERAGE],
                                         pix_graph_param(network->model->graph, 0)->name, NULL);
    return !pix_container_find(container, "", average) || pix_network_make_average(network, error);
}

gboolean pix_state_load(const char *file, const PixStateNetwork *networks, guint n_networks,
                        GError **error)
{
    g_return_val_if_fail(file && networks, FALSE);
    g_autoptr(PixContainer) container = open_state(file, error);
    if (!container)
        return FALSE;
    for (guint i = 0; i < n_networks; i++) {
        pix_network_touch_moments(networks[i].network);
        if (!load_counters(container, &networks[i], error))
            return FALSE;
    }
    g_autoptr(GArray) items = list_items(networks, n_networks);
    g_autofree float *values = pix_try_alloc(largest_of(items), sizeof(float), error);
    if (!values) {
        g_prefix_error(error, "%s: ", file);
        return FALSE;
    }
    for (guint i = 0; i < items->len; i++)
        if (!load_item(container, &g_array_index(items, Item, i), values, error))
            return FALSE;
    return TRUE;
}
