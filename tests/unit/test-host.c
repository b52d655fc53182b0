/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What belongs to the host stays as it was: threads, environment, locale, signals, directory. */
#include <dirent.h>
#include <dlfcn.h>
#include <fenv.h>
#include <locale.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <pix2pix/pix.h>

#include "sanitized.h"

extern char **environ;

static int count_threads(void)
{
    int count = -2; /* . and .. */
    DIR *tasks = opendir("/proc/self/task");
    while (tasks && readdir(tasks))
        count++;
    if (tasks)
        closedir(tasks);
    return count;
}

/* OpenBLAS's own thread count, where it is linked. */
static int blas_threads(void)
{
    int (*get)(void);
    *(void **)&get = dlsym(RTLD_DEFAULT, "openblas_get_num_threads");
    return get ? get() : 0;
}

/* What registers the process may use that it has to ask for, as bits. */
static unsigned long registers(void)
{
    unsigned long permitted = 0;
#ifdef __x86_64__
    syscall(SYS_arch_prctl, 0x1022, &permitted); /* asm/prctl.h: ARCH_GET_XCOMP_PERM */
#endif
    return permitted;
}

static PixSession *open_session(PixDevice *device, PixPrecision precision)
{
    g_autofree char *file =
        g_build_filename(g_getenv("PIX2PIX_TEST_MODELS"), "unet32.safetensors", NULL);
    g_autoptr(PixModel) model = pix_model_load(device, file, NULL, precision, NULL);
    PixSessionOptions options;
    pix_session_options_init(&options, model);
    return pix_session_new(model, &options, NULL);
}

static void use_everything(unsigned threads, PixPrecision precision, int *most_threads)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", threads, NULL);
    g_autoptr(PixSession) session = open_session(device, precision);
    guint8 pixels[32 * 32 * 3] = {0};
    PixImage image = {pixels, 96, 32, 32, 3, 3, {0, 1, 2}};
    for (int i = 0; i < 3; i++)
        assert_true(pix_session_translate(session, &image, &image, NULL));
    *most_threads = count_threads();
    GError *error = NULL;
    assert_null(pix_model_load(device, "/dev/null", NULL, PIX_PRECISION_AUTO, &error));
    g_clear_error(&error);
}

static char *describe_host(void)
{
    GString *text = g_string_new(setlocale(LC_ALL, NULL));
    g_autofree char *cwd = g_get_current_dir();
    g_string_append_printf(text, "\n%s\nrounding %d\nblas %d\nregisters %lx\n", cwd, fegetround(),
                           blas_threads(), registers());
    for (int i = 1; i < 32; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0)
            g_string_append_printf(text, "signal %d %p\n", i, (void *)action.sa_handler);
    }
    for (char **variable = environ; *variable; variable++)
        g_string_append_printf(text, "%s\n", *variable);
    return g_string_free(text, FALSE);
}

static void assert_threads(int found, int expected)
{
    if (!is_sanitized()) /* by what may run threads of its own */
        assert_int_equal(found, expected);
}

/* A thread that was joined may be listed for a moment more. */
static void expect_threads(int expected)
{
    for (int i = 0; i < 1000 && count_threads() != expected; i++)
        g_usleep(1000);
    assert_threads(count_threads(), expected);
}

static void test_host(void **state)
{
    expect_threads(1); /* loading the library started none */
    g_autofree char *before = describe_host();
    for (unsigned threads = 1; threads <= 3; threads++) {
        int most;
        use_everything(threads, PIX_PRECISION_FP32, &most);
        assert_threads(most, (int)threads);
        expect_threads(1); /* none is left */
    }
    g_autofree char *after = describe_host();
    assert_string_equal(before, after);
}

/* Devices with as many threads share them, whichever is closed first. */
static void test_shared_threads(void **state)
{
    PixDevice *first = pix_device_open("cpu", 3, NULL), *second = pix_device_open("cpu", 3, NULL);
    expect_threads(3);
    PixDevice *other = pix_device_open("cpu", 2, NULL);
    expect_threads(4);
    pix_device_unref(first);
    pix_device_unref(other);
    expect_threads(3);
    pix_device_unref(second);
    expect_threads(1);
}

/* @kind: how the names of the precision's algorithms begin. */
static void expect_no_tiles(PixPrecision precision, const char *kind)
{
    g_autoptr(PixDevice) device = pix_device_open("cpu", 1, NULL);
    g_autoptr(PixSession) session = open_session(device, precision);
    const PixTimes *times = pix_session_get_times(session);
    int reduced = 0;
    for (guint i = 0; i < times->n_layers; i++) {
        const char *algorithm = times->layers[i].algorithm;
        assert_true(!algorithm || !g_str_has_suffix(algorithm, "-amx"));
        reduced += algorithm && g_str_has_prefix(algorithm, kind);
    }
    assert_true(reduced > 0);
}

/* Too small for the registers of AMX, which are done without. */
static void test_small_stack(void **state)
{
    static char memory[8192];
    const stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    stack_t own;
    assert_int_equal(sigaltstack(&stack, &own), 0);
    g_autofree char *before = describe_host();
    int most;
    use_everything(2, PIX_PRECISION_BF16, &most);
    use_everything(2, PIX_PRECISION_INT8, &most);
    expect_no_tiles(PIX_PRECISION_BF16, "bf16-");
    expect_no_tiles(PIX_PRECISION_INT8, "int8-");
    g_autofree char *after = describe_host();
    assert_string_equal(before, after);
    sigaltstack(&own, NULL);
}

/* A thread that may run elsewhere has threads of its own there. */
static void test_threads_of_others(void **state)
{
    cpu_set_t before, one;
    PixDevice *first = pix_device_open("cpu", 2, NULL);
    expect_threads(2);
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &before))
            CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    PixDevice *second = pix_device_open("cpu", 2, NULL);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    expect_threads(CPU_EQUAL(&one, &before) ? 2 : 3);
    pix_device_unref(second);
    pix_device_unref(first);
}

/* So has a process after a fork. */
static void test_after_fork(void **state)
{
    PixDevice *device = pix_device_open("cpu", 2, NULL);
    pid_t child = fork();
    if (child == 0) {
        PixDevice *own = pix_device_open("cpu", 2, NULL);
        _exit(own && count_threads() == 2 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    pix_device_unref(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_shared_threads),
        cmocka_unit_test(test_threads_of_others),
        cmocka_unit_test(test_small_stack),
        cmocka_unit_test(test_after_fork),
    };
    /* Neither sanitizers nor emulators let a process with threads fork. */
    size_t n = G_N_ELEMENTS(tests) - (is_sanitized() ? 1 : 0);
    return _cmocka_run_group_tests("host", tests, n, NULL, NULL);
}
