/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PyTorch files, zip and legacy: directory, pickle, storages. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_container(data, size);
    return 0;
}
