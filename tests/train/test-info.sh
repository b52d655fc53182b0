#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# pix2pix info.
. "${0%/*}/tap.sh"

works 'a U-Net' info "$unet"
says unet_32
says 'model.model.0.weight'
works 'a ResNet' info "$models/resnet2.safetensors"
says 'resnet_2blocks'
works 'a discriminator' info "$models/patchgan.safetensors"
says 'a discriminator'
works 'the built-in model' info facades

"$PIX2PIX" info "$unet" --json >info.json
check 'JSON has an architecture' "$TOOL" json info.json '$.architecture'
says '"unet_32"'
check 'JSON has channels' "$TOOL" json info.json '$.in_channels'
says 3
check 'JSON has shapes' "$TOOL" json info.json '$.tensors[0].shape'
says '[4,3,4,4]'
check 'JSON counts bad values' "$TOOL" json info.json '$.bad_values'
check 'JSON has metadata' "$TOOL" json info.json '$.metadata'
"$PIX2PIX" info facades --json >facades.json
check 'JSON of the built-in model' "$TOOL" json facades.json '$.architecture'

mkdir folder 'with spaces'
cp "$unet" 'with spaces/a b.safetensors'
works 'a name with spaces' info 'with spaces/a b.safetensors'
PIX2PIX_MODEL_PATH=$models works 'a model by its name' info unet32
fails 1 'missing.safetensors: ' 'no such file' info missing.safetensors
fails 1 'folder: ' 'a folder' info folder
printf 'not a checkpoint at all' >text.safetensors
fails 1 'text.safetensors: ' 'no checkpoint' info text.safetensors
: >empty.safetensors
fails 1 'empty.safetensors: ' 'an empty file' info empty.safetensors
head -c 5000 "$unet" >short.safetensors
fails 1 'short.safetensors: ' 'a checkpoint that ends early' info short.safetensors

finish
