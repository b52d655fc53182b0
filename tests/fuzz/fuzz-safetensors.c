/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The safetensors reader and its JSON parser, behind the recognition of formats. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_container(data, size);
    return 0;
}
