# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced by the scripts here, after $scratch is there: the layer of faults in front of the validation
# layer, with its checks of synchronization within and across submissions. What it has to say goes to
# $messages. $here is this folder, FAULT_LAYERS that with the layer of faults.
messages=$scratch/messages
cat >"$scratch/vk_layer_settings.txt" <<END
khronos_validation.debug_action = VK_DBG_LAYER_ACTION_LOG_MSG
khronos_validation.report_flags = error,warn
khronos_validation.log_filename = $messages
khronos_validation.enables = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT,VALIDATION_CHECK_ENABLE_SYNCHRONIZATION_VALIDATION_QUEUE_SUBMIT
END
unset VK_LAYER_PATH VK_LAYER_ENABLES
export PIX2PIX_VULKAN="${PIX2PIX_VULKAN-unmeasured}" # the same calls each time
case ${PIX2PIX_DEVICE-} in
vulkan*) ;;
*) export PIX2PIX_DEVICE=vulkan ;;
esac
export VK_LAYER_SETTINGS_PATH="$scratch"
export LSAN_OPTIONS="suppressions=$here/leaks.supp:print_suppressions=0"
export VK_ADD_LAYER_PATH="${FAULT_LAYERS:?}"
export VK_INSTANCE_LAYERS=VK_LAYER_PIX2PIX_fault:VK_LAYER_KHRONOS_validation

# put_behind: the layer of faults goes behind that of validation, which then sees what the program sees.
# In front is what the loader finds first, or what is named first, as its version has it.
put_behind() {
    folder=vulkan/explicit_layer.d
    export VK_ADD_LAYER_PATH="/usr/local/share/$folder:/usr/share/$folder:$FAULT_LAYERS"
    export VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation:VK_LAYER_PIX2PIX_fault
}

# is_silent: whether the validation layer has said nothing; else shows it.
is_silent() {
    [ ! -s "$messages" ] && return
    sed 's/^/# validation: /' "$messages" >&2
    return 1
}

# subject VARIABLE=VALUE...: runs $FAULT_SUBJECT under both layers; sets $status.
subject() {
    rm -f "$messages"
    env "$@" timeout 600 "$FAULT_SUBJECT" >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null
    status=$?
}
