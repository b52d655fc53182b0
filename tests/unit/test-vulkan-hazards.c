/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Barriers: between any two dispatches of which one writes what the other touches there is one, and
 * there is none without such a reason. Random sequences, checked pair by pair.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "vk-hazard.h"

#define DISPATCHES 200
#define MOST 4 /* accesses of one */

typedef struct {
    VulkanAccess accesses[MOST];
    size_t n;
    bool barrier; /* before it */
} Dispatch;

static void draw(GRand *rand, Dispatch *dispatch)
{
    static const char buffers[3];
    dispatch->n = (size_t)g_rand_int_range(rand, 1, MOST + 1);
    for (size_t i = 0; i < dispatch->n; i++)
        dispatch->accesses[i] = (VulkanAccess){
            &buffers[g_rand_int_range(rand, 0, 3)], (size_t)g_rand_int_range(rand, 0, 40) * 256,
            (size_t)g_rand_int_range(rand, 1, 6) * 256, g_rand_boolean(rand)};
}

/* Byte by byte, in steps that all accesses are multiples of. */
static bool touch(const VulkanAccess *a, const VulkanAccess *b)
{
    for (size_t i = a->offset; i < a->offset + a->bytes; i += 256)
        if (i >= b->offset && i < b->offset + b->bytes)
            return a->buffer == b->buffer && (a->writes || b->writes);
    return false;
}

static bool depend(const Dispatch *a, const Dispatch *b)
{
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < b->n; j++)
            if (touch(&a->accesses[i], &b->accesses[j]))
                return true;
    return false;
}

static bool barrier_between(const Dispatch *all, int first, int last)
{
    for (int i = first + 1; i <= last; i++)
        if (all[i].barrier)
            return true;
    return false;
}

/* Whether something since the barrier before @last is the reason for its own. */
static bool has_reason(const Dispatch *all, int last)
{
    for (int i = last - 1; i >= 0; i--) {
        if (depend(&all[i], &all[last]))
            return true;
        if (all[i].barrier)
            return false;
    }
    return false;
}

static void test_sequences(void **state)
{
    int barriers = 0;
    for (guint32 seed = 0; seed < 20; seed++) {
        Dispatch all[DISPATCHES];
        VulkanHazards hazards;
        GRand *rand = g_rand_new_with_seed(seed);
        vk_hazards_init(&hazards);
        for (int i = 0; i < DISPATCHES; i++) {
            draw(rand, &all[i]);
            all[i].barrier = vk_hazards_add(&hazards, all[i].accesses, all[i].n);
            barriers += all[i].barrier;
            assert_true(!all[i].barrier || has_reason(all, i));
            for (int j = 0; j < i; j++)
                assert_true(!depend(&all[j], &all[i]) || barrier_between(all, j, i));
        }
        vk_hazards_clear(&hazards);
        g_rand_free(rand);
    }
    assert_in_range(barriers, 100, 20 * DISPATCHES - 100);
}

/* Reads of the same, neighbours, and what one dispatch does to itself need none. */
static void test_no_reason(void **state)
{
    const char a = 0, b = 0;
    const VulkanAccess read = {&a, 0, 256, false}, next = {&a, 256, 256, true};
    const VulkanAccess other = {&b, 0, 256, true},
                       in_place[] = {{&a, 512, 256, false}, {&a, 512, 256, true}};
    VulkanHazards hazards;
    vk_hazards_init(&hazards);
    assert_false(vk_hazards_add(&hazards, &read, 1));
    assert_false(vk_hazards_add(&hazards, &read, 1));
    assert_false(vk_hazards_add(&hazards, &next, 1));
    assert_false(vk_hazards_add(&hazards, &other, 1));
    assert_false(vk_hazards_add(&hazards, in_place, 2));
    assert_true(vk_hazards_add(&hazards, in_place, 2));
    vk_hazards_forget(&hazards);
    assert_false(vk_hazards_add(&hazards, in_place, 2));
    vk_hazards_clear(&hazards);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_no_reason),
    };
    return cmocka_run_group_tests_name("vulkan-hazards", tests, NULL, NULL);
}
