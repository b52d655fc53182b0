/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Networks as graphs: fusing and planning change where numbers lie and how often memory is walked,
 * never what is computed. Small networks run node by node in tests/ref and fused on the device.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "arch.h"
#include "compare.h"
#include "fuse.h"
#include "plan.h"
#include "ref-ops.h"
#include "run.h"

typedef struct {
    const char *name;
    PixArch arch;
    int n, h, w;
    bool running, dropout;
} Case;

#define ARCH(k, in, out, ngf, deep, n, ...)                                                        \
    {                                                                                              \
        .kind = k, .in_channels = in, .out_channels = out, .filters = ngf, .depth = deep,          \
        .norm = n, __VA_ARGS__                                                                     \
    }
#define BATCH .affine = true, .running = true

static const Case cases[] = {
    {"unet, frame",
     ARCH(PIX_ARCH_UNET, 3, 3, 2, 6, PIX_NORM_BATCH, BATCH, .skips = true, .dropout = true), 1, 64,
     64, false, true},
    {"unet, running, batch 2, wide",
     ARCH(PIX_ARCH_UNET, 1, 3, 3, 5, PIX_NORM_BATCH, BATCH, .skips = true, .dropout = true), 2, 32,
     64, true, false},
    {"unet, running and dropout",
     ARCH(PIX_ARCH_UNET, 3, 2, 3, 6, PIX_NORM_BATCH, BATCH, .skips = true, .dropout = true), 1, 64,
     64, true, true},
    {"unet, instance",
     ARCH(PIX_ARCH_UNET, 3, 3, 2, 5, PIX_NORM_INSTANCE, .bias = true, .skips = true), 1, 64, 32,
     false, false},
    {"unet, no norm", ARCH(PIX_ARCH_UNET, 3, 3, 2, 4, PIX_NORM_NONE, .skips = true), 1, 16, 16,
     false, false},
    {"unet, two levels", ARCH(PIX_ARCH_UNET, 3, 3, 4, 2, PIX_NORM_NONE, .skips = true), 1, 8, 4,
     false, false},
    {"affinelayer",
     ARCH(PIX_ARCH_UNET, 3, 3, 2, 5, PIX_NORM_BATCH, .affine = true, .bias = true, .skips = true,
          .inner_norm = true, .dropout = true),
     1, 32, 32, false, true},
    {"encoder-decoder", ARCH(PIX_ARCH_UNET, 3, 3, 3, 5, PIX_NORM_BATCH, BATCH, .dropout = true), 1,
     32, 32, false, true},
    {"resnet, instance",
     ARCH(PIX_ARCH_RESNET, 3, 3, 4, 2, PIX_NORM_INSTANCE, .bias = true, .pad = PIX_PAD_REFLECT), 1,
     16, 20, false, false},
    {"resnet, batch, replicated, dropout",
     ARCH(PIX_ARCH_RESNET, 3, 1, 4, 2, PIX_NORM_BATCH, BATCH, .dropout = true,
          .pad = PIX_PAD_REPLICATE),
     2, 16, 12, true, true},
    {"resnet, zero padding",
     ARCH(PIX_ARCH_RESNET, 2, 3, 4, 1, PIX_NORM_BATCH, BATCH, .pad = PIX_PAD_ZERO), 1, 12, 12,
     false, false},
    {"cryer", ARCH(PIX_ARCH_CRYER_UNET, 3, 3, 1, 0, PIX_NORM_INSTANCE, .dropout = true), 1, 256,
     256, false, true},
    {"patchgan", ARCH(PIX_ARCH_PATCHGAN, 6, 1, 4, 3, PIX_NORM_BATCH, BATCH), 2, 40, 33, false,
     false},
    {"pixelgan", ARCH(PIX_ARCH_PIXELGAN, 6, 1, 4, 0, PIX_NORM_INSTANCE, .bias = true), 1, 9, 7,
     false, false},
    {"cryer patchgan", ARCH(PIX_ARCH_CRYER_PATCHGAN, 6, 1, 4, 0, PIX_NORM_INSTANCE), 1, 64, 64,
     false, false},
};

/* The weights of a network, for both sides. */
typedef struct {
    double **values;
    PixTensor *tensors; /* in one buffer */
    guint n;
} Weights;

/* Where each lies. */
static void place_weights(Weights *w, const PixGraph *graph, PixDevice *device)
{
    const PixBackend *backend = device->backend;
    size_t offset = 0;
    for (guint i = 0; i < w->n; i++) {
        const PixParam *p = pix_graph_param(graph, (int)i);
        bool weight = p->slot == PIX_SLOT_WEIGHT;
        PixShape vector = {1, p->dims[0], 1, 1};
        PixShape shape =
            weight ? (PixShape){p->dims[0], p->dims[1], p->dims[2], p->dims[3]} : vector;
        size_t bytes = weight ? backend->weight_bytes(device, &p->op, p->dims, PIX_DTYPE_F32)
                              : backend->activation_bytes(device, vector, PIX_DTYPE_F32);
        w->tensors[i] = (PixTensor){shape, NULL, offset, 0, shape.c};
        offset += (bytes + backend->alignment - 1) / backend->alignment * backend->alignment;
    }
    PixBuffer *buffer = backend->buffer_new(device, offset, NULL);
    for (guint i = 0; i < w->n; i++)
        w->tensors[i].buffer = buffer;
}

static Weights weights_new(const PixGraph *graph, PixDevice *device)
{
    const PixBackend *backend = device->backend;
    Weights w = {.n = graph->params->len};
    w.values = g_new0(double *, w.n);
    w.tensors = g_new0(PixTensor, w.n);
    place_weights(&w, graph, device);
    for (guint i = 0; i < w.n; i++) {
        const PixParam *p = pix_graph_param(graph, (int)i);
        size_t count =
            (size_t)p->dims[0] * (size_t)p->dims[1] * (size_t)p->dims[2] * (size_t)p->dims[3];
        bool weight = p->slot == PIX_SLOT_WEIGHT;
        g_autofree float *values = g_new(float, count);
        /* Scaled so that signals neither die nor explode on their way through the layers. */
        compare_fill(values, count, weight ? 2.5f / sqrtf((float)(count / (size_t)p->dims[0])) : 1,
                     i + 1);
        w.values[i] = g_new(double, count);
        for (size_t j = 0; j < count; j++) {
            if (p->slot == PIX_SLOT_GAMMA || p->slot == PIX_SLOT_VARIANCE)
                values[j] = 1 + values[j] / 2;
            w.values[i][j] = (double)values[j];
        }
        if (weight)
            backend->write_weight(device, &w.tensors[i], &p->op, p->dims, values, NULL);
        else
            backend->write(device, &w.tensors[i], values, NULL);
    }
    return w;
}

static void weights_clear(Weights *w, PixDevice *device)
{
    for (guint i = 0; i < w->n; i++)
        g_free(w->values[i]);
    device->backend->buffer_free(device, w->tensors[0].buffer);
    g_free(w->values);
    g_free(w->tensors);
}

/* The network's output by the specification, one array for each node. */
static double *run_reference(const PixGraph *graph, const Weights *w, const float *x,
                             PixFrame frame)
{
    guint n = graph->nodes->len;
    double **outs = g_new0(double *, n);
    for (guint i = 0; i < n; i++) {
        const PixNode *node = pix_graph_node(graph, (int)i);
        size_t count = pix_shape_count(node->shape);
        RefCall call = {.op = &node->op, .frame = frame};
        outs[i] = g_new(double, count);
        for (size_t j = 0; i == 0 && j < count; j++)
            outs[0][j] = (double)x[j];
        for (int j = 0; j < pix_op_n_inputs(node->op.kind); j++) {
            call.x[j] = outs[node->in[j]];
            call.shape[j] = pix_graph_node(graph, node->in[j])->shape;
        }
        for (int j = 0; j < PIX_SLOT_COUNT; j++)
            call.param[j] = node->param[j] < 0 ? NULL : w->values[node->param[j]];
        if (i > 0)
            ref_forward(&call, outs[i]);
    }
    double *result = g_steal_pointer(&outs[graph->output]);
    for (guint i = 0; i < n; i++)
        g_free(outs[i]);
    g_free(outs);
    return result;
}

static void run_case(PixDevice *device, const Case *k)
{
    const PixFrame frame = {.seed = 3, .number = 1};
    assert_true(pix_arch_check(&k->arch, NULL));
    g_autoptr(PixGraph) graph = pix_arch_build(&k->arch);
    assert_true(pix_graph_set_modes(graph, k->running, k->dropout, NULL));
    assert_true(pix_graph_infer(graph, k->n, k->h, k->w, NULL));
    PixGraph *fused = pix_graph_fuse(graph, device);
    assert_true(pix_graph_infer(fused, k->n, k->h, k->w, NULL));
    Weights w = weights_new(graph, device);
    PixRun *run = pix_run_new(fused, device, w.tensors, true, PIX_DTYPE_F32, NULL);
    assert_non_null(run);
    size_t in = pix_shape_count(pix_run_input(run)->shape);
    size_t out = pix_shape_count(pix_run_output(run)->shape);
    assert_int_equal(out, pix_shape_count(pix_graph_node(graph, graph->output)->shape));
    g_autofree float *x = g_new(float, in), *y = g_new(float, out), *again = g_new(float, out);
    compare_fill(x, in, 1, 99);
    g_autofree double *expected = run_reference(graph, &w, x, frame);
    for (int i = 0; i < 2; i++) {
        assert_true(device->backend->write(device, pix_run_input(run), x, NULL));
        assert_true(pix_run_forward(run, frame, NULL));
        assert_true(device->backend->read(device, pix_run_output(run), i ? again : y, NULL));
    }
    CompareError e = compare(y, expected, out);
    if (!e.finite || e.nmse > 1e-9)
        fail_msg("%s: NMSE %.2e, worst at %zu: %.9g instead of %.9g", k->name, e.nmse, e.worst,
                 (double)y[e.worst], expected[e.worst]);
    assert_memory_equal(y, again, out * sizeof *y);
    pix_run_free(run);
    weights_clear(&w, device);
}

static void test_networks(void **state)
{
    PixDevice *device = pix_device_open(NULL, 2, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        run_case(device, &cases[i]);
    pix_device_unref(device);
}

static guint count_nodes(const PixGraph *graph, PixOpKind kind)
{
    guint count = 0;
    for (guint i = 0; i < graph->nodes->len; i++)
        count += pix_graph_node(graph, (int)i)->op.kind == kind;
    return count;
}

static PixGraph *fuse(const PixDevice *device, PixArchKind kind, bool running, bool dropout)
{
    PixArch arch;
    pix_arch_init(&arch, kind);
    arch.dropout = true;
    g_autoptr(PixGraph) graph = pix_arch_build(&arch);
    assert_true(pix_graph_set_modes(graph, running, dropout, NULL));
    return pix_graph_fuse(graph, device);
}

/*
 * What fusing is for: only convolutions and additions are left, and second copies of skips where the
 * device cannot do without.
 */
static void test_fused_away(void **state)
{
    PixBackend plain = pix_backend_cpu, able = pix_backend_cpu;
    plain.rows[PIX_OP_CONV].rectifies = plain.rows[PIX_OP_DECONV].rectifies = false;
    able.rows[PIX_OP_CONV].rectifies = able.rows[PIX_OP_DECONV].rectifies = true;
    PixDevice plain_device = {.backend = &plain}, able_device = {.backend = &able};
    for (int running = 0; running < 2; running++) {
        bool dropout = !running; /* with running statistics it is an op of its own */
        g_autoptr(PixGraph) unet = fuse(&plain_device, PIX_ARCH_UNET, running, dropout);
        assert_int_equal(count_nodes(unet, PIX_OP_NORM), 0);
        assert_int_equal(count_nodes(unet, PIX_OP_DROPOUT), 0);
        assert_int_equal(count_nodes(unet, PIX_OP_ACTIVATION), 7);
        assert_int_equal(unet->nodes->len, 1 + 16 + 7 + 7);
        g_autoptr(PixGraph) rectified = fuse(&able_device, PIX_ARCH_UNET, running, dropout);
        assert_int_equal(rectified->nodes->len, 1 + 16 + 7);
        g_autoptr(PixGraph) resnet = fuse(&plain_device, PIX_ARCH_RESNET, running, dropout);
        assert_int_equal(count_nodes(resnet, PIX_OP_PAD), 0);
        assert_int_equal(resnet->nodes->len, 1 + 24 + 9);
    }
}

/* No two tensors that are needed at one time share memory, but for parts of concatenations and ops
 * that work in place; and memory is used again. */
static void test_plan(void **state)
{
    PixDevice *device = pix_device_open("cpu", 1, NULL);
    PixArch arch;
    pix_arch_init(&arch, PIX_ARCH_RESNET);
    g_autoptr(PixGraph) graph = pix_arch_build(&arch);
    assert_true(pix_graph_infer(graph, 1, 64, 64, NULL));
    PixPlan *plan = pix_plan_new(graph, device, PIX_DTYPE_F32, PIX_PLAN_INFERENCE, NULL);
    size_t sum = 0, largest = 0;
    for (guint i = 0; i < graph->nodes->len; i++) {
        size_t bytes = pix_shape_count(plan->outputs[i].shape) * sizeof(float);
        sum += bytes;
        largest = MAX(largest, bytes);
        assert_true(plan->outputs[i].offset + bytes <= plan->block_bytes);
    }
    assert_true(plan->block_bytes <= 3 * largest);
    assert_true(sum > 10 * plan->block_bytes);
    pix_plan_free(plan);
    pix_device_unref(device);
}

static void test_sizes(void **state)
{
    GError *error = NULL;
    PixArch arch;
    pix_arch_init(&arch, PIX_ARCH_UNET);
    g_autoptr(PixGraph) graph = pix_arch_build(&arch);
    assert_true(pix_graph_infer(graph, 1, 256, 512, NULL));
    assert_false(pix_graph_infer(graph, 1, 300, 256, &error));
    assert_int_equal(error->code, PIX_ERROR_BAD_SHAPE);
    assert_non_null(strstr(error->message, "256x300"));
    g_clear_error(&error);
    assert_false(pix_graph_infer(graph, 1 << 20, 1 << 20, 1 << 20, &error));
    assert_int_equal(error->code, PIX_ERROR_BAD_SHAPE);
    g_clear_error(&error);
    arch.running = false;
    g_autoptr(PixGraph) none = pix_arch_build(&arch);
    assert_false(pix_graph_set_modes(none, true, false, &error));
    assert_int_equal(error->code, PIX_ERROR_UNSUPPORTED);
    g_clear_error(&error);
}

/* Parameter counts and names of the published networks. */
static void test_published(void **state)
{
    static const struct {
        PixArchKind kind;
        PixNormKind norm;
        int depth, in;
        guint tensors;
        long parameters;
        const char *name, *last;
    } known[] = {
        /* Tensors without num_batches_tracked; parameters with gradients only. */
        {PIX_ARCH_UNET, PIX_NORM_BATCH, 8, 3, 69, 54413955, "unet_256", "model.model.3.bias"},
        {PIX_ARCH_UNET, PIX_NORM_BATCH, 7, 3, 59, 41828995, "unet_128", "model.model.3.bias"},
        {PIX_ARCH_UNET, PIX_NORM_INSTANCE, 8, 3, 32, 54409603, "unet_256", "model.model.3.bias"},
        {PIX_ARCH_UNET, PIX_NORM_NONE, 8, 3, 17, 54404099, "unet_256", "model.model.3.bias"},
        {PIX_ARCH_RESNET, PIX_NORM_INSTANCE, 9, 3, 48, 11378179, "resnet_9blocks", "model.26.bias"},
        {PIX_ARCH_RESNET, PIX_NORM_BATCH, 6, 3, 87, 7841411, "resnet_6blocks", "model.23.bias"},
        {PIX_ARCH_PATCHGAN, PIX_NORM_BATCH, 3, 6, 19, 2768705, "patchgan_3", "model.11.bias"},
        {PIX_ARCH_PATCHGAN, PIX_NORM_INSTANCE, 3, 3, 10, 2764737, "patchgan_3", "model.11.bias"},
        {PIX_ARCH_PIXELGAN, PIX_NORM_BATCH, 0, 6, 8, 9024, "pixelgan", "net.5.weight"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        PixArch arch;
        pix_arch_init(&arch, known[i].kind);
        arch.depth = known[i].depth;
        arch.in_channels = known[i].in;
        arch.norm = known[i].norm;
        arch.affine = arch.running = known[i].norm == PIX_NORM_BATCH;
        arch.bias = known[i].norm == PIX_NORM_INSTANCE;
        g_autoptr(PixGraph) graph = pix_arch_build(&arch);
        g_autofree char *name = pix_arch_name(&arch);
        long parameters = 0;
        for (guint j = 0; j < graph->params->len; j++) {
            const PixParam *p = pix_graph_param(graph, (int)j);
            if (p->slot != PIX_SLOT_MEAN && p->slot != PIX_SLOT_VARIANCE)
                parameters += (long)p->dims[0] * p->dims[1] * p->dims[2] * p->dims[3];
        }
        assert_string_equal(name, known[i].name);
        assert_int_equal(graph->params->len, known[i].tensors);
        assert_int_equal(parameters, known[i].parameters);
        assert_string_equal(pix_graph_param(graph, (int)graph->params->len - 1)->name,
                            known[i].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),  cmocka_unit_test(test_networks),
        cmocka_unit_test(test_fused_away), cmocka_unit_test(test_plan),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
