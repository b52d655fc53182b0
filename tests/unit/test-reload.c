/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The library comes and goes, and two copies of it live side by side. */
#include <dirent.h>
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <pix2pix/pix.h>

typedef PixDevice *(*Open)(const char *, unsigned, GError **);
typedef void (*Unref)(PixDevice *);
typedef PixModel *(*Load)(PixDevice *, const char *, const char *, PixPrecision, GError **);
typedef void (*ModelUnref)(PixModel *);

static void *find(void *library, const char *name)
{
    void *symbol = dlsym(library, name);
    if (!symbol)
        fail_msg("%s", dlerror());
    return symbol;
}

static void *open_library(const char *file)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        fail_msg("%s", dlerror());
    return library;
}

/* Opens a device and loads a model; returns the device. */
static PixDevice *use(void *library, const char *model_file)
{
    Open open_device = (Open)find(library, "pix_device_open");
    Load load = (Load)find(library, "pix_model_load");
    ModelUnref unref = (ModelUnref)find(library, "pix_model_unref");
    PixDevice *device = open_device("cpu", 3, NULL);
    assert_non_null(device);
    PixModel *model = load(device, model_file, NULL, PIX_PRECISION_AUTO, NULL);
    assert_non_null(model);
    unref(model);
    return device;
}

static void finish(void *library, PixDevice *device)
{
    ((Unref)find(library, "pix_device_unref"))(device);
    assert_int_equal(dlclose(library), 0);
}

static int count_threads(void)
{
    int count = -2;
    DIR *tasks = opendir("/proc/self/task");
    while (tasks && readdir(tasks))
        count++;
    if (tasks)
        closedir(tasks);
    return count;
}

static void test_reload(void **state)
{
    g_autofree char *model =
        g_build_filename(g_getenv("PIX2PIX_TEST_MODELS"), "unet32.safetensors", NULL);
    for (int i = 0; i < 100; i++) {
        void *library = open_library(g_getenv("PIX2PIX_LIBRARY"));
        finish(library, use(library, model));
    }
    assert_true(count_threads() <= 2); /* a sanitizer may run one of its own */
}

static void test_two_copies(void **state)
{
    const char *first = g_getenv("PIX2PIX_LIBRARY");
    g_autofree char *model =
        g_build_filename(g_getenv("PIX2PIX_TEST_MODELS"), "unet32.safetensors", NULL);
    g_autofree char *folder = g_dir_make_tmp("pix2pix-XXXXXX", NULL);
    g_autofree char *second = g_build_filename(folder, "copy.so", NULL);
    g_autofree char *bytes = NULL;
    gsize length;
    assert_true(g_file_get_contents(first, &bytes, &length, NULL));
    assert_true(g_file_set_contents(second, bytes, (gssize)length, NULL));
    void *a = open_library(first), *b = open_library(second);
    assert_ptr_not_equal(find(a, "pix_device_open"), find(b, "pix_device_open"));
    PixDevice *of_a = use(a, model), *of_b = use(b, model);
    finish(a, of_a);
    finish(b, of_b);
    g_unlink(second);
    g_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_two_copies),
    };
    return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
