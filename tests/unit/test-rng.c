/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rng.h"

/* The known answers that Random123 publishes for philox4x32-10. */
static void test_known_answers(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } answers[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        uint32_t out[4];
        pix_rng_philox(answers[i].counter, answers[i].key, out);
        assert_memory_equal(out, answers[i].out, sizeof out);
    }
}

static void test_words_are_the_word_of_each(void **state)
{
    const PixMaskKey key = {.seed = 0x123456789abcdef, .frame = 5, .layer = 3};
    uint32_t words[23];
    pix_rng_words(&key, UINT64_C(1) << 33, 23, words);
    for (size_t i = 0; i < 23; i++)
        assert_int_equal(words[i], pix_rng_word(&key, (UINT64_C(1) << 33) + i));
}

/* Seed, frame and layer each make another mask. */
static void test_keys_differ(void **state)
{
    const PixMaskKey keys[] = {{1, 0, 0}, {2, 0, 0}, {1, 1, 0}, {1, 0, 1}, {1ull << 40, 0, 0}};
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(pix_rng_word(&keys[i], 9), pix_rng_word(&keys[j], 9));
}

static void test_rate(void **state)
{
    const PixMaskKey key = {.seed = 1};
    const uint32_t threshold = pix_rng_threshold(0.3f);
    int dropped = 0, count = 100000;
    for (int i = 0; i < count; i++)
        dropped += pix_rng_word(&key, (uint64_t)i) < threshold;
    /* Five standard deviations of a binomial distribution. */
    assert_in_range(dropped, 30000 - 725, 30000 + 725);
    assert_int_equal(pix_rng_threshold(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_words_are_the_word_of_each),
        cmocka_unit_test(test_keys_differ),
        cmocka_unit_test(test_rate),
    };
    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
