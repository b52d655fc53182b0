/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * A recording: dispatches and copies in order, with the barriers that their reads and writes ask
 * for; done once or again and again.
 */
#ifndef PIX_VK_COMMANDS_H
#define PIX_VK_COMMANDS_H

#include "vk-buffer.h"
#include "vk-hazard.h"
#include "vk-pipeline.h"

/** VulkanBinding: what a shader sees of a buffer; without one it sees nothing that matters. */
typedef struct {
    PixBuffer *buffer;
    size_t offset, bytes; /* offset: a multiple of PixBackend.alignment */
    bool writes;          /* also where it reads and writes */
    size_t used;          /* of bytes, for the figures; 0: all */
    bool halves;          /* a map of 16-bit floats */
} VulkanBinding;

/** VulkanDispatch: one run of a shader. */
typedef struct {
    VulkanShader shader;
    uint32_t constants[VK_CONSTANTS];
    int n_constants;
    VulkanBinding bindings[VK_BINDINGS];
    const void *push;
    size_t push_bytes;
    uint32_t groups[3];
    /* Where @fixed, see vk_commands_new(), read now, else whenever the recording is submitted. */
    const void *varying; /* NULL: nothing varies */
    size_t varying_bytes;
    VulkanBinding uniform; /* instead of what varies: what an earlier dispatch has written */
} VulkanDispatch;

/** VK_VARYING_SLOTS: the most dispatches of a recording for which something varies. */
#define VK_VARYING_SLOTS 64
/** VK_VARYING_BYTES: the most that varies for one dispatch. */
#define VK_VARYING_BYTES 256

/** VulkanErrand: what the processor has to do for each submission of a recording. */
typedef struct {
    void (*before)(void *data);                /* NULL: nothing */
    bool (*after)(void *data, GError **error); /* when it is done and waited for; NULL: nothing */
    void (*free)(void *data);                  /* with the recording */
    void *data;
    size_t bytes; /* of memory that it holds */
} VulkanErrand;

/** vk_commands_new: @fixed: what varies is set by vk_commands_vary().  Errors: NO_MEMORY. */
PixCommands *vk_commands_new(VulkanGpu *gpu, bool fixed, GError **error);
/** vk_commands_free: Waits for what is under way. Accepts NULL. */
void vk_commands_free(PixCommands *commands);

/** vk_commands_is_open: Whether it is being recorded. */
bool vk_commands_is_open(const PixCommands *commands);

/** vk_commands_begin: Forgets what was recorded; that must be done. Errors: NO_MEMORY, DEVICE_LOST. */
bool vk_commands_begin(PixCommands *commands, GError **error);

/** Recording. What goes wrong here is kept until vk_commands_check() or vk_commands_end(). */
void vk_commands_dispatch(PixCommands *commands, const VulkanDispatch *dispatch);
void vk_commands_copy(PixCommands *commands, PixBuffer *from, size_t from_offset, PixBuffer *to,
                      size_t to_offset, size_t bytes);
/** @word: the bits of each four bytes. */
void vk_commands_fill(PixCommands *commands, PixBuffer *buffer, size_t offset, size_t bytes,
                      uint32_t word);

/** vk_commands_check: Errors: what has gone wrong, which then is as if it had not been asked for. */
bool vk_commands_check(PixCommands *commands, GError **error);

/** vk_commands_vary: What varies for dispatch @slot of those for which something does. */
void vk_commands_vary(PixCommands *commands, unsigned slot, const void *data, size_t bytes);

/** vk_commands_add_errand: Those after are run in the order in which they were added. */
void vk_commands_add_errand(PixCommands *commands, const VulkanErrand *errand);

/** vk_commands_bytes: Memory that its errands hold. */
size_t vk_commands_bytes(const PixCommands *commands);

/** vk_commands_mark, vk_commands_read_marks: See vk-marks.h. */
void vk_commands_mark(PixCommands *commands);
bool vk_commands_read_marks(const PixCommands *commands, double *ms, uint32_t n);

bool vk_commands_end(PixCommands *commands, GError **error);

/** vk_commands_has_waiting: Whether work that waits to be submitted has to do with its buffers. Any
 * thread; not of a fixed one. */
bool vk_commands_has_waiting(const PixCommands *commands);
/** vk_commands_check_buffers: Errors: what spoiled one of them. Not of a fixed one. */
bool vk_commands_check_buffers(const PixCommands *commands, GError **error);
/** vk_commands_submit: Of one that has ended, and whose last submission is done. */
bool vk_commands_submit(PixCommands *commands, GError **error);
/** vk_commands_wait: Until it is done; at once where nothing is under way. Errors: DEVICE_LOST, and
 * those of errands. */
bool vk_commands_wait(PixCommands *commands, GError **error);

#endif
