/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Training traces that PyTorch computed in float64: start weights, one batch, the losses of each
 * step, the gradients of the first and the weights after the last. Every file of the folders in
 * PIX2PIX_TEST_TRACES is tried.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <pix2pix/pix-train.h>

#include "container.h"
#include "map.h"
#include "network.h"
#include "params.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PixContainer, pix_container_free)

/* The limits: PyTorch's float32 is within a third of each on these seeds. */
#define LOSS_LIMIT 1e-4
#define GRADIENT_LIMIT 1e-4
#define UPDATE_LIMIT 1e-2
#define RUNNING_LIMIT 2e-3

typedef struct {
    PixContainer *file;
    PixDevice *device;
    PixNetwork *g, *d;
    PixPass *g_pass, *d_pass;
    PixMap *a, *b;
    PixFigures *losses;
    int dims[4]; /* of the input */
    PixGanMode mode;
    gboolean conditional;
    double lambda;
} Trace;

static float *read_values(PixContainer *file, const char *name, const PixEntry **entry)
{
    *entry = pix_container_find(file, "", name);
    if (!*entry)
        return NULL;
    float *values = g_new(float, (*entry)->count);
    assert_true(pix_container_read(file, *entry, values, NULL));
    return values;
}

static const char *setting(const Trace *t, const char *key, const char *fallback)
{
    const char *value = g_hash_table_lookup(pix_container_get_metadata(t->file), key);
    return value ? value : fallback;
}

static PixMap *load_map(Trace *t, const char *name)
{
    const PixEntry *entry;
    g_autofree float *values = read_values(t->file, name, &entry);
    for (int i = 0; i < 4; i++)
        t->dims[i] = (int)entry->dims[i];
    PixMap *map = pix_map_new(t->device, t->dims, NULL);
    assert_true(pix_map_write(map, values, NULL));
    return map;
}

/* Start weights, by name. */
static void load_weights(Trace *t, PixNetwork *network, const char *tag)
{
    const PixGraph *graph = network->model->graph;
    for (guint i = 0; i < graph->params->len; i++) {
        const PixEntry *entry;
        g_autofree char *name = g_strconcat(tag, pix_graph_param(graph, (int)i)->name, NULL);
        g_autofree float *values = read_values(t->file, name, &entry);
        if (!values)
            fail_msg("no tensor %s", name);
        assert_true(pix_params_write(network->model->params, graph, (int)i, values, NULL));
    }
}

static int filters_of(Trace *t, const char *name)
{
    const PixEntry *entry = pix_container_find(t->file, "", name);
    assert_non_null(entry);
    return (int)entry->dims[0];
}

static int index_of(const char *const *words, const char *word)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    fail_msg("what is %s?", word);
    return -1;
}

static void open_networks(Trace *t)
{
    g_autofree char *net_g = g_strdup_printf("unet_%d", t->dims[2]);
    const char *d_first = strcmp(setting(t, "net_d", "patchgan_3"), "pixelgan")
                              ? "D0.model.0.weight"
                              : "D0.net.0.weight";
    bool resnet = pix_container_find(t->file, "", "G0.model.1.weight") != NULL;
    const char *first = resnet ? "G0.model.1.weight" : "G0.model.model.0.weight";
    PixNetworkOptions g = {.architecture = setting(t, "net_g", net_g),
                           .norm = setting(t, "norm", "batch"),
                           .in_channels = t->dims[1],
                           .out_channels = t->b->tensor.shape.c,
                           .filters = filters_of(t, first)};
    PixNetworkOptions d = {.architecture = setting(t, "net_d", "patchgan_3"),
                           .norm = g.norm,
                           .in_channels = t->b->tensor.shape.c + (t->conditional ? t->dims[1] : 0),
                           .out_channels = 1,
                           .filters = filters_of(t, d_first)};
    GError *error = NULL;
    t->g = pix_network_new(t->device, &g, &error);
    t->d = pix_network_new(t->device, &d, &error);
    assert_null(error);
    load_weights(t, t->g, "G0.");
    load_weights(t, t->d, "D0.");
    t->g_pass = pix_pass_new(t->g, t->dims[0], t->dims[2], t->dims[3], 0, &error);
    t->d_pass =
        pix_pass_new(t->d, t->dims[0], t->dims[2], t->dims[3], PIX_PASS_INPUT_GRADIENT, &error);
    assert_null(error);
}

static void open_trace(Trace *t, const char *file)
{
    static const char *const modes[] = {"vanilla", "lsgan", "hinge", "wgangp", NULL};
    GError *error = NULL;
    *t =
        (Trace){.file = pix_container_open(file, &error), .device = pix_device_open(NULL, 2, NULL)};
    if (error)
        fail_msg("%s", error->message);
    t->mode = (PixGanMode)index_of(modes, setting(t, "gan_mode", "vanilla"));
    t->conditional = strcmp(setting(t, "conditional", "1"), "1") == 0;
    t->lambda = g_ascii_strtod(setting(t, "lambda_l1", "100"), NULL);
    t->b = load_map(t, "b");
    t->a = load_map(t, "a");
    t->losses = pix_figures_new(t->device, 4, NULL);
    open_networks(t);
}

static void close_trace(Trace *t)
{
    pix_map_free(t->a);
    pix_map_free(t->b);
    pix_figures_free(t->losses);
    pix_pass_free(t->g_pass);
    pix_pass_free(t->d_pass);
    pix_network_free(t->g);
    pix_network_free(t->d);
    pix_container_free(t->file);
    pix_device_unref(t->device);
}

/* ---- the step ---- */

static int channels_of(const PixMap *map)
{
    return map->tensor.shape.c;
}

static void judge(Trace *t, PixMap *image, PixGanSide side, double weight, guint loss)
{
    PixMap *input = pix_pass_get_input(t->d_pass);
    int first = t->conditional ? channels_of(t->a) : 0;
    if (t->conditional)
        pix_map_copy(t->a, 0, input, 0, first);
    pix_map_copy(image, 0, input, first, channels_of(image));
    assert_true(pix_pass_forward(t->d_pass, 0, 0, NULL));
    pix_loss_gan(t->mode, side, pix_pass_get_output(t->d_pass), weight,
                 pix_pass_get_output_gradient(t->d_pass), FALSE, t->losses, loss);
}

/* @compare_step: (nullable): called when the gradients of each network are there. */
static void run_step(Trace *t, double losses[4], void (*look)(Trace *, PixNetwork *, const char *))
{
    static const PixAdam adam = {2e-4, 0.5, 0.999, 1e-8, 1};
    PixMap *fake = pix_pass_get_output(t->g_pass);
    pix_map_copy(t->a, 0, pix_pass_get_input(t->g_pass), 0, channels_of(t->a));
    assert_true(pix_pass_forward(t->g_pass, 0, 0, NULL));

    pix_network_clear_gradients(t->d);
    judge(t, fake, PIX_GAN_FAKE, 0.5, 0);
    assert_true(pix_pass_backward(t->d_pass, PIX_BACKWARD_PARAMETERS, NULL));
    judge(t, t->b, PIX_GAN_REAL, 0.5, 1);
    assert_true(pix_pass_backward(t->d_pass, PIX_BACKWARD_PARAMETERS, NULL));
    if (look)
        look(t, t->d, "gradD1.");
    pix_network_adam(t->d, &adam);

    pix_network_clear_gradients(t->g);
    judge(t, fake, PIX_GAN_GENERATOR, 1, 2);
    assert_true(pix_pass_backward(t->d_pass, PIX_BACKWARD_INPUT, NULL));
    PixMap *dfake = pix_pass_get_output_gradient(t->g_pass);
    pix_map_copy(pix_pass_get_input_gradient(t->d_pass), t->conditional ? channels_of(t->a) : 0,
                 dfake, 0, channels_of(fake));
    pix_loss_l1(fake, t->b, t->lambda, dfake, TRUE, t->losses, 3);
    assert_true(pix_pass_backward(t->g_pass, PIX_BACKWARD_PARAMETERS, NULL));
    if (look)
        look(t, t->g, "gradG1.");
    pix_network_adam(t->g, &adam);
    assert_true(pix_figures_read(t->losses, losses, NULL));
}

/* ---- comparing ---- */

static double norm_of(const float *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i] * values[i];
    return sqrt(sum);
}

static double worst_gradient;

static void compare_gradients(Trace *t, PixNetwork *network, const char *tag)
{
    const PixGraph *graph = network->model->graph;
    for (guint i = 0; i < graph->params->len; i++) {
        const PixParam *param = pix_graph_param(graph, (int)i);
        const PixEntry *entry;
        g_autofree char *name = g_strconcat(tag, param->name, NULL);
        g_autofree float *expected = read_values(t->file, name, &entry);
        if (!pix_slot_is_trained(param->slot))
            continue;
        assert_non_null(expected);
        g_autofree float *found = g_new(float, entry->count);
        assert_true(pix_network_read(network, PIX_VALUES_GRADIENTS, i, found, NULL));
        for (size_t j = 0; j < entry->count; j++)
            found[j] -= expected[j];
        double norm = norm_of(expected, entry->count);
        double error = norm_of(found, entry->count) / (norm + 1e-30);
        if (norm > 1e-9)
            worst_gradient = MAX(worst_gradient, error);
        if (!(error < GRADIENT_LIMIT || norm < 1e-9))
            fail_msg("%s: relative error %.2e, norm %.2e", name, error, norm);
    }
}

/* A bias before a norm has no gradient but rounding, out of which Adam makes steps of full length. */
static bool has_gradient(Trace *t, const char *tag, const char *name)
{
    const PixEntry *entry;
    g_autofree char *full = g_strdup_printf("grad%c1.%s", *tag, name);
    g_autofree float *values = read_values(t->file, full, &entry);
    return values && norm_of(values, entry->count) > 1e-9;
}

/* Running statistics one by one; what training changed as a whole, as Adam's first steps amplify the
 * rounding of gradients near zero. */
static double compare_update(Trace *t, PixNetwork *network, const char *tag, const char *start)
{
    const PixGraph *graph = network->model->graph;
    double squares = 0, errors = 0;
    for (guint i = 0; i < graph->params->len; i++) {
        const PixParam *param = pix_graph_param(graph, (int)i);
        const PixEntry *entry;
        g_autofree char *name = g_strconcat(tag, param->name, NULL);
        g_autofree char *before_name = g_strconcat(start, param->name, NULL);
        g_autofree float *expected = read_values(t->file, name, &entry);
        g_autofree float *before = read_values(t->file, before_name, &entry);
        g_autofree float *found = g_new(float, entry->count);
        bool trained = pix_slot_is_trained(param->slot);
        assert_true(pix_network_read(network, PIX_VALUES_WEIGHTS, i, found, NULL));
        if (trained && !has_gradient(t, tag, param->name))
            continue;
        double error = 0, square = 0;
        for (size_t j = 0; j < entry->count; j++) {
            double reference = trained ? before[j] : 0;
            square += pow((double)expected[j] - reference, 2);
            error += pow((double)expected[j] - found[j], 2);
        }
        if (trained) {
            squares += square;
            errors += error;
        } else if (!(sqrt(error) <= RUNNING_LIMIT * sqrt(square))) {
            fail_msg("%s: relative error %.1e", name, sqrt(error / square));
        }
    }
    return sqrt(errors / squares);
}

static void compare_losses(Trace *t, int step, const double losses[4])
{
    const PixEntry *entry;
    g_autofree char *name = g_strdup_printf("loss%d", step);
    g_autofree float *expected = read_values(t->file, name, &entry);
    for (int i = 0; i < 4; i++)
        if (!(fabs(losses[i] - expected[i]) <= LOSS_LIMIT * fabs(expected[i]) + 1e-7))
            fail_msg("%s[%d]: %.7g, not %.7g", name, i, losses[i], (double)expected[i]);
}

static void test_trace(void **state)
{
    const char *file = *state;
    Trace t;
    double losses[4];
    int steps = 1;
    open_trace(&t, file);
    worst_gradient = 0;
    for (;; steps++) {
        run_step(&t, losses, steps == 1 ? compare_gradients : NULL);
        compare_losses(&t, steps, losses);
        g_autofree char *next = g_strdup_printf("loss%d", steps + 1);
        if (!pix_container_find(t.file, "", next))
            break;
    }
    g_autofree char *tag_g = g_strdup_printf("G%d.", steps);
    g_autofree char *tag_d = g_strdup_printf("D%d.", steps);
    double update_g = compare_update(&t, t.g, tag_g, "G0.");
    double update_d = compare_update(&t, t.d, tag_d, "D0.");
    print_message("# %s: gradients %.1e, updates %.1e %.1e\n", file, worst_gradient, update_g,
                  update_d);
    assert_true(update_g < UPDATE_LIMIT && update_d < UPDATE_LIMIT);
    close_trace(&t);
}

/* Between two equal images there is only one point, whatever is drawn. */
static void test_penalty(void **state)
{
    GError *error = NULL;
    const PixEntry *entry;
    Trace t = {.file = pix_container_open(*state, &error),
               .device = pix_device_open(NULL, 2, NULL)};
    assert_null(error);
    PixMap *x = load_map(&t, "x");
    bool pixel = strcmp(setting(&t, "net_d", ""), "pixelgan") == 0;
    PixNetworkOptions options = {
        .architecture = setting(&t, "net_d", ""),
        .norm = setting(&t, "norm", ""),
        .in_channels = t.dims[1],
        .out_channels = 1,
        .filters = filters_of(&t, pixel ? "D0.net.0.weight" : "D0.model.0.weight")};
    t.d = pix_network_new(t.device, &options, &error);
    assert_null(error);
    load_weights(&t, t.d, "D0.");
    PixPenalty *penalty = pix_penalty_new(t.d, t.dims[0], t.dims[2], t.dims[3], &error);
    assert_null(error);
    t.losses = pix_figures_new(t.device, 1, &error);
    double value;
    g_autofree float *expected = read_values(t.file, "value", &entry);
    assert_true(pix_penalty_backward(penalty, x, x, 1, 5, 6, t.losses, 0, &error));
    assert_true(pix_figures_read(t.losses, &value, &error));
    if (!(fabs(value - (double)*expected) <= LOSS_LIMIT * (double)*expected))
        fail_msg("penalty %.7g, not %.7g", value, (double)*expected);
    compare_gradients(&t, t.d, "gradD1.");
    pix_penalty_free(penalty);
    pix_figures_free(t.losses);
    pix_map_free(x);
    pix_network_free(t.d);
    pix_container_free(t.file);
    pix_device_unref(t.device);
}

static void list_folder(const char *folder, const char *prefix, CMUnitTestFunction run,
                        GArray *tests)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;
    if (!dir)
        return;
    while ((name = g_dir_read_name(dir)))
        if (g_str_has_prefix(name, prefix) && g_str_has_suffix(name, ".safetensors")) {
            struct CMUnitTest test = {.name = g_strdup(name),
                                      .test_func = run,
                                      .initial_state = g_build_filename(folder, name, NULL)};
            g_array_append_val(tests, test);
        }
    g_dir_close(dir);
}

static void clear_test(gpointer data)
{
    struct CMUnitTest *test = data;
    g_free((char *)test->name);
    g_free(test->initial_state);
}

int main(void)
{
    g_autoptr(GArray) tests = g_array_new(FALSE, TRUE, sizeof(struct CMUnitTest));
    g_array_set_clear_func(tests, clear_test);
    g_auto(GStrv) folders = g_strsplit(g_getenv("PIX2PIX_TEST_TRACES"), ":", -1);
    for (char **folder = folders; *folder; folder++) {
        list_folder(*folder, "train_pix2pix", test_trace, tests);
        list_folder(*folder, "penalty", test_penalty, tests);
    }
    if (tests->len == 0)
        return 1;
    return _cmocka_run_group_tests("training", (const struct CMUnitTest *)tests->data, tests->len,
                                   NULL, NULL);
}
