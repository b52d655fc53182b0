/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The .pict reader. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_container(data, size);
    return 0;
}
