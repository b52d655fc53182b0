/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * A PixDevice of Vulkan: a GPU, and the work that has been asked of it and not been submitted. That
 * is done before anything is read back.
 *
 * Thread-safety: any thread; its lock is held while work is asked for, while such work is waited for,
 * and from record to finish, which may take long: a recording makes pipelines. To submit a recording
 * takes it only where work on that recording's own buffers waits to be submitted, and to wait for one
 * never: so frames that run are not held up by a network that loads beside them. Behind it come the
 * locks of VulkanGpu, which are held for the moment that they are needed.
 */
#ifndef PIX_VK_DEVICE_H
#define PIX_VK_DEVICE_H

#include "vk-trace.h"

typedef struct {
    PixDevice base;
    VulkanGpu *gpu;
    GRecMutex lock;         /* of what follows */
    PixCommands *recording; /* NULL: work is for once */
    VulkanTraces *once;
    PixWork work;       /* all that was asked for */
    PixBuffer *staging; /* between the processor's memory and the GPU's */
    size_t staged;      /* bytes of it that are in use until the next flush */
    unsigned holds;     /* that have not been released */
    PixBuffer *sums;    /* of vk-sum.c */
    PixBuffer *scalars; /* of vk_adam() */
    /* What PIX2PIX_VULKAN and the GPU say. */
    bool simple; /* shaders that the fast ones must beat */
    bool half;   /* maps and weights may be 16-bit floats */
    bool tunes;  /* by what was measured */
    /* By products of small matrices: of the GPU's own, or of matrix.glsl's stand-ins for those. */
    bool tensor, matrix;
    char *id, *features;
} VulkanDevice;

/**
 * VK_SUM_PARTS: the most parts of a sum.  VK_SUM_SAMPLES: the most figures at vk_sum_room(); as many
 * floats can be bound from their end on.
 */
#define VK_SUM_PARTS ((size_t)1 << 17)
#define VK_SUM_SAMPLES ((size_t)64)
#define VK_SUM_BYTES (VK_SUM_PARTS * 2 * sizeof(float) + VK_SUM_SAMPLES * PIX_FIGURE_BYTES)

/** Alignment of tensors in bytes: no device wants more. */
#define VK_ALIGNMENT 256

static inline VulkanDevice *vk_device(PixDevice *device)
{
    return (VulkanDevice *)device;
}

PixDevice *vk_device_open(const char *name, bool real, unsigned threads, GError **error);
void vk_device_close(PixDevice *device);
char *vk_device_identity(const PixDevice *device);
bool vk_device_format(const PixDevice *device, PixPrecision precision, PixFormat *format);

/** vk_dispatch: Into the recording, or to be done soon. Where a binding is of 16-bit floats, by the
 * shader's variant for those. */
void vk_dispatch(PixDevice *device, const VulkanDispatch *dispatch);
void vk_copy_bytes(PixDevice *device, PixBuffer *from, size_t from_offset, PixBuffer *to,
                   size_t to_offset, size_t bytes);
void vk_fill_bytes(PixDevice *device, PixBuffer *buffer, size_t offset, size_t bytes,
                   uint32_t word);

/**
 * vk_device_hold: For a sequence of work that uses sums and scalars: no other thread's comes in
 * between, and what they were before does not matter. Undone by vk_device_release().
 */
void vk_device_hold(PixDevice *device);
void vk_device_release(PixDevice *device);

/** vk_upload: @data is taken at once; where it does not arrive, @buffer is spoiled. */
bool vk_upload(PixDevice *device, PixBuffer *buffer, size_t offset, const void *data, size_t bytes,
               GError **error);
/** vk_download: Done when it returns. */
bool vk_download(PixDevice *device, PixBuffer *buffer, size_t offset, void *data, size_t bytes,
                 GError **error);

/* The entries of the table. */
bool vk_device_settle(PixDevice *device, const PixBuffer *buffer, GError **error);
PixBuffer *vk_device_buffer_new(PixDevice *device, size_t bytes, GError **error);
void vk_device_buffer_free(PixDevice *device, PixBuffer *buffer);
bool vk_device_record(PixDevice *device, GError **error);
PixCommands *vk_device_finish(PixDevice *device, GError **error);
bool vk_device_submit(PixDevice *device, PixCommands *commands, GError **error);
bool vk_device_wait(PixDevice *device, PixCommands *commands, GError **error);
void vk_device_commands_free(PixDevice *device, PixCommands *commands);
PixWork vk_device_work(PixDevice *device);
void vk_device_mark(PixDevice *device);
bool vk_device_read_marks(PixDevice *device, PixCommands *commands, double *ms, guint n);

#endif
