/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a GPU is asked for to do a frame: how many dispatches, and how many bytes its shaders see. The
 * networks are recorded, not run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "arch.h"
#include "fuse.h"
#include "params.h"
#include "run.h"

/* The picture into the network's input, and out of its output. */
#define PIXEL_DISPATCHES 2

typedef struct {
    guint dispatches;
    double bytes, floor;
} Work;

static Work work_of(PixArchKind kind, int filters, bool dropout)
{
    g_autoptr(PixDevice) device = pix_device_open("vulkan", 1, NULL);
    assert_non_null(device);
    PixArch arch;
    pix_arch_init(&arch, kind);
    arch.filters = filters;
    g_autoptr(PixGraph) graph = pix_arch_build(&arch);
    assert_true(pix_graph_set_modes(graph, false, dropout, NULL));
    assert_true(pix_graph_infer(graph, 1, 256, 256, NULL));
    PixGraph *fused = pix_graph_fuse(graph, device);
    assert_true(pix_graph_infer(fused, 1, 256, 256, NULL));
    PixParams *params = pix_params_new(graph, device, PIX_DTYPE_F32, false, NULL);
    PixRun *run = pix_run_new(fused, device, params->tensors, true, PIX_DTYPE_F32, NULL);
    assert_non_null(run);
    guint n;
    const PixLayerTime *layers = pix_run_layers(run, &n);
    Work work = {.dispatches = PIXEL_DISPATCHES};
    for (guint i = 0; i < n; i++) {
        work.dispatches += layers[i].dispatches;
        work.bytes += layers[i].read_bytes + layers[i].written_bytes;
        work.floor += layers[i].bytes;
    }
    pix_run_free(run);
    pix_params_free(params);
    return work;
}

static void check(Work work, guint most, double times_floor)
{
    if (work.dispatches > most || !(work.bytes <= times_floor * work.floor))
        fail_msg("%u dispatches, at most %u are expected; %.1f MB, %.2f times the floor",
                 work.dispatches, most, work.bytes / 1e6, work.bytes / work.floor);
    assert_true(work.bytes >= work.floor * 0.99);
}

static void test_unet(void **state)
{
    check(work_of(PIX_ARCH_UNET, 64, true), 40, 1.5);
    check(work_of(PIX_ARCH_UNET, 32, false), 40, 1.5);
}

/* 24 convolutions, of which 23 measure large maps, and 9 additions. */
static void test_resnet(void **state)
{
    check(work_of(PIX_ARCH_RESNET, 64, true), PIXEL_DISPATCHES + 23 * 3 + 1 + 9, 2.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unet),
        cmocka_unit_test(test_resnet),
    };
    return cmocka_run_group_tests_name("vulkan work", tests, NULL, NULL);
}
