/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The cache of pipelines with a driver that is made up here: what it wrote comes back to it, and
 * nothing else ever does.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "vk-cache.h"

#define KEPT "what the driver compiled"
#define OTHER "what it compiled elsewhere"

static const char *kept = KEPT;
static gsize given_bytes; /* to the driver, when a cache was made */
static char given[64];
static int alive;

static VkResult create(VkDevice device, const VkPipelineCacheCreateInfo *info,
                       const VkAllocationCallbacks *callbacks, VkPipelineCache *cache)
{
    given_bytes = info->initialDataSize;
    if (given_bytes > 0)
        memcpy(given, info->pInitialData, MIN(given_bytes, sizeof given));
    *cache = (VkPipelineCache)(guintptr)1;
    alive++;
    return VK_SUCCESS;
}

static VkResult get_data(VkDevice device, VkPipelineCache cache, size_t *bytes, void *data)
{
    *bytes = strlen(kept) + 1;
    if (data)
        memcpy(data, kept, *bytes);
    return VK_SUCCESS;
}

static void destroy(VkDevice device, VkPipelineCache cache, const VkAllocationCallbacks *callbacks)
{
    alive--;
}

static VulkanGpu make_gpu(void)
{
    VulkanGpu gpu = {.name = (char *)"a GPU", .driver = (char *)"its driver"};
    gpu.vk.vkCreatePipelineCache = create;
    gpu.vk.vkGetPipelineCacheData = get_data;
    gpu.vk.vkDestroyPipelineCache = destroy;
    gpu.properties.driverVersion = 7;
    return gpu;
}

/* Opens and closes. Returns: how many bytes the driver got. */
static gsize use(const VulkanGpu *gpu)
{
    VulkanGpu copy = *gpu;
    given_bytes = 0;
    vk_cache_close(&copy, vk_cache_open(&copy));
    assert_int_equal(alive, 0);
    return given_bytes;
}

static char *folder(void)
{
    return g_build_filename(g_get_user_cache_dir(), "pix2pix", NULL);
}

/* Returns: (transfer full): the only file there is. */
static char *the_file(void)
{
    g_autofree char *path = folder();
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    assert_non_null(dir);
    const char *name = g_dir_read_name(dir);
    char *file = g_build_filename(path, name, NULL);
    assert_null(g_dir_read_name(dir));
    return file;
}

static int clean(void **state)
{
    g_autofree char *path = folder();
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    g_chmod(path, 0700);
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        g_unlink(file);
    }
    g_rmdir(path);
    return 0;
}

static void test_comes_back(void **state)
{
    const VulkanGpu gpu = make_gpu();
    assert_int_equal(use(&gpu), 0);
    assert_int_equal(use(&gpu), sizeof KEPT);
    assert_string_equal(given, KEPT);
}

static void test_damaged(void **state)
{
    const VulkanGpu gpu = make_gpu();
    use(&gpu);
    g_autofree char *file = the_file(), *good = NULL;
    gsize bytes;
    assert_true(g_file_get_contents(file, &good, &bytes, NULL));
    for (gsize i = 0; i < bytes; i++) {
        g_autofree char *bad = g_memdup2(good, bytes);
        bad[i] ^= 1;
        assert_true(g_file_set_contents(file, bad, (gssize)bytes, NULL));
        assert_int_equal(use(&gpu), 0);
        assert_int_equal(use(&gpu), sizeof KEPT); /* it was written anew */
    }
    for (gsize length = 0; length < bytes; length++) {
        assert_true(g_file_set_contents(file, good, (gssize)length, NULL));
        assert_int_equal(use(&gpu), 0);
    }
}

/* Another GPU, driver or version does not see it, even under its name. */
static void test_of_another(void **state)
{
    VulkanGpu gpu = make_gpu();
    use(&gpu);
    g_autofree char *file = the_file(), *old = g_strconcat(file, ".old", NULL);
    VulkanGpu others[] = {gpu, gpu, gpu, gpu, gpu, gpu};
    others[0].properties.driverVersion++;
    others[1].properties.deviceID++;
    others[2].properties.vendorID++;
    others[3].properties.pipelineCacheUUID[15]++;
    others[4].name = (char *)"another GPU";
    others[5].driver = (char *)"another driver";
    assert_int_equal(g_rename(file, old), 0);
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        assert_int_equal(use(&others[i]), 0);
        assert_int_equal(use(&others[i]), sizeof KEPT);
    }
    /* Theirs under our name. */
    g_autofree char *path = folder();
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *theirs = g_build_filename(path, name, NULL), *content = NULL;
        gsize bytes;
        if (strcmp(theirs, old) == 0 || strcmp(theirs, file) == 0)
            continue;
        assert_true(g_file_get_contents(theirs, &content, &bytes, NULL));
        assert_true(g_file_set_contents(file, content, (gssize)bytes, NULL));
        assert_int_equal(use(&gpu), 0);
    }
}

/* A folder that cannot be made or written to: no cache, no error, no file. */
static void test_nowhere(void **state)
{
    const VulkanGpu gpu = make_gpu();
    g_autofree char *path = folder();
    assert_true(g_file_set_contents(path, "in the way", -1, NULL));
    assert_int_equal(use(&gpu), 0);
    assert_int_equal(use(&gpu), 0);
    g_unlink(path);
}

/* What is no file of ours is neither read, however long that takes, nor in the way. */
static void test_no_file(void **state)
{
    const VulkanGpu gpu = make_gpu();
    use(&gpu);
    g_autofree char *file = the_file();
    assert_int_equal(truncate(file, (off_t)1 << 40), 0);
    assert_int_equal(use(&gpu), 0);
    assert_int_equal(use(&gpu), sizeof KEPT);
    g_unlink(file);
    assert_int_equal(mkfifo(file, 0600), 0);
    assert_int_equal(use(&gpu), 0);
    assert_int_equal(use(&gpu), sizeof KEPT);
}

/* A disk without room: no cache, and nothing is left of the attempt. */
static void test_full(void **state)
{
    const VulkanGpu gpu = make_gpu();
    struct rlimit old, none;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    none = old;
    none.rlim_cur = 16;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    gsize bytes = use(&gpu);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(bytes, 0);
    g_autofree char *path = folder();
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    assert_true(!dir || !g_dir_read_name(dir));
    assert_int_equal(use(&gpu), 0);
    assert_int_equal(use(&gpu), sizeof KEPT);
}

/* Whatever the other writes at the same time, each reads a whole file. */
static int use_often(const char *text)
{
    const VulkanGpu gpu = make_gpu();
    kept = text;
    for (int i = 0; i < 200; i++)
        if (use(&gpu) > 0 && strcmp(given, KEPT) != 0 && strcmp(given, OTHER) != 0)
            return 1;
    kept = KEPT;
    return given_bytes > 0 ? 0 : 1;
}

static void test_race(void **state)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(use_often(OTHER));
    assert_int_equal(use_often(KEPT), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    g_autofree char *cache = g_dir_make_tmp("pix2pix-cache-XXXXXX", NULL);
    g_setenv("XDG_CACHE_HOME", cache, TRUE);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_comes_back, clean),
        cmocka_unit_test_teardown(test_damaged, clean),
        cmocka_unit_test_teardown(test_of_another, clean),
        cmocka_unit_test_teardown(test_nowhere, clean),
        cmocka_unit_test_teardown(test_no_file, clean),
        cmocka_unit_test_teardown(test_full, clean),
        cmocka_unit_test_teardown(test_race, clean),
    };
    int failed = cmocka_run_group_tests_name("vulkan-cache", tests, NULL, NULL);
    g_rmdir(cache);
    return failed;
}
