/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What the layer of faults does, apart from how a layer is hooked in: see fault-layer.c. */
#ifndef FAULT_LAYER_H
#define FAULT_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include <vulkan/vulkan.h>

/** FAULT_CREATORS: X(name, handle): functions of a device that make an object from vk<handle>CreateInfo. */
#define FAULT_CREATORS(X)                                                                          \
    X(CreateBuffer, Buffer)                                                                        \
    X(CreateCommandPool, CommandPool)                                                              \
    X(CreateFence, Fence)                                                                          \
    X(CreateSemaphore, Semaphore)                                                                  \
    X(CreateQueryPool, QueryPool)                                                                  \
    X(CreateDescriptorPool, DescriptorPool)                                                        \
    X(CreateDescriptorSetLayout, DescriptorSetLayout)                                              \
    X(CreatePipelineLayout, PipelineLayout)                                                        \
    X(CreatePipelineCache, PipelineCache)                                                          \
    X(CreateShaderModule, ShaderModule)

/** FAULT_FUNCTIONS: X(name): all that are counted, without "vk". */
#define FAULT_FUNCTIONS(X)                                                                         \
    X(CreateInstance)                                                                              \
    X(EnumeratePhysicalDevices)                                                                    \
    X(CreateDevice)                                                                                \
    X(CreateBuffer)                                                                                \
    X(CreateCommandPool)                                                                           \
    X(CreateFence)                                                                                 \
    X(CreateSemaphore)                                                                             \
    X(CreateQueryPool)                                                                             \
    X(CreateDescriptorPool)                                                                        \
    X(CreateDescriptorSetLayout)                                                                   \
    X(CreatePipelineLayout)                                                                        \
    X(CreatePipelineCache)                                                                         \
    X(CreateShaderModule)                                                                          \
    X(CreateComputePipelines)                                                                      \
    X(AllocateMemory)                                                                              \
    X(BindBufferMemory)                                                                            \
    X(MapMemory)                                                                                   \
    X(AllocateCommandBuffers)                                                                      \
    X(AllocateDescriptorSets)                                                                      \
    X(ResetCommandPool)                                                                            \
    X(BeginCommandBuffer)                                                                          \
    X(EndCommandBuffer)                                                                            \
    X(ResetFences)                                                                                 \
    X(QueueSubmit)                                                                                 \
    X(WaitForFences)                                                                               \
    X(WaitSemaphores)                                                                              \
    X(GetFenceStatus)                                                                              \
    X(GetQueryPoolResults)                                                                         \
    X(GetPipelineCacheData)                                                                        \
    X(DeviceWaitIdle)                                                                              \
    X(CmdPipelineBarrier)                                                                          \
    X(CmdDispatch)

typedef enum {
#define FAULT_ENUM(name) FAULT_##name,
    FAULT_FUNCTIONS(FAULT_ENUM)
#undef FAULT_ENUM
        FAULT_COUNT
} FaultFunction;

/** fault_fails: Counts a call that can fail. @result: (out): what it gives where it does. */
bool fault_fails(FaultFunction function, VkResult *result);
/** fault_drops: Counts a call that cannot. */
bool fault_drops(FaultFunction function);
bool fault_hangs(void);
/** fault_loses: After a submission: whether the device is lost now. */
bool fault_loses(void);
/** fault_make_instance: This thread is about to make it. */
void fault_make_instance(void);
/** fault_find_device: There is a new one. */
void fault_find_device(void);
void fault_write_counts(void);

/** fault_take_memory: Before an allocation, whose failure is to be undone by fault_give_memory(). */
VkResult fault_take_memory(uint64_t bytes);
void fault_give_memory(uint64_t bytes);
void fault_shrink_heaps(VkPhysicalDeviceMemoryProperties *memory);
/** fault_open_window: In front of the driver's one type of memory. */
void fault_open_window(VkPhysicalDeviceMemoryProperties *memory);
void fault_allow_types(VkMemoryRequirements *needs);
/** fault_choose_type: @info: (inout): gets the driver's own type. Returns: whether there is any. */
bool fault_choose_type(VkMemoryAllocateInfo *info);
void fault_lower_limits(VkPhysicalDeviceLimits *limits);
void fault_lower_allocation(VkPhysicalDeviceMaintenance3Properties *properties);
uint32_t fault_device_copies(void);
bool fault_is_robust(void);
bool fault_is_wide(void);
bool fault_is_plain(void);

#endif
