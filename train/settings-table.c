/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "settings-table.h"

#include <string.h>

#define FIELD(member) #member, G_STRUCT_OFFSET(Settings, member)
#define DATA SETTING_GROUP_DATA
#define NETWORKS SETTING_GROUP_NETWORKS
#define LOSSES SETTING_GROUP_LOSSES
#define OPTIMISER SETTING_GROUP_OPTIMISER
#define WRITTEN SETTING_GROUP_WRITTEN
#define MACHINE SETTING_GROUP_MACHINE
#define FREE TRUE
#define NORMS "batch|instance|none"

/* config.json and --help have this order. */
const SettingRow settings_table[] = {
    {FIELD(data), SETTING_PATH, SETTING_GROUP_NONE, "", 0, 0, "DATASET", "The data set",
     FREE}, /* its fingerprint is compared instead: it may have been moved */
    {FIELD(a), SETTING_PATH, DATA, "", 0, 0, "DIR",
     "Folder of the pictures A, instead of DATASET; where it has a folder named as the phase, "
     "that",
     FREE},
    {FIELD(b), SETTING_PATH, DATA, "", 0, 0, "DIR", "Folder of the pictures B, of the same names",
     FREE},
    {FIELD(phase), SETTING_TEXT, DATA, "train", 0, 0, "NAME",
     "Folder of DATASET with the pairs to learn"},
    {FIELD(val_phase), SETTING_TEXT, DATA, "val", 0, 0, "NAME",
     "Folder of DATASET with the pairs to validate on"},
    {FIELD(val_a), SETTING_PATH, DATA, "", 0, 0, "DIR", "With --a: the same for validation", FREE},
    {FIELD(val_b), SETTING_PATH, DATA, "", 0, 0, "DIR", "With --b: the same for validation", FREE},
    {FIELD(direction), SETTING_CHOICE, DATA, "AtoB", 0, 0, "AtoB|BtoA",
     "What is the input and what the target; A is the left half of a pair"},
    {FIELD(input_nc), SETTING_INT, DATA, "3", 1, 4, "1|3|4", "Channels of the input"},
    {FIELD(output_nc), SETTING_INT, DATA, "3", 1, 4, "1|3|4", "Channels of the output"},
    {FIELD(preprocess), SETTING_CHOICE, DATA, "resize_and_crop", 0, 0,
     "resize_and_crop|crop|scale_width|scale_width_and_crop|none",
     "How a picture meets the network's size"},
    {FIELD(load_size), SETTING_SIZE, DATA, "", 1, 16384, "N|WxH",
     "Size that pictures are scaled to; not given: 286/256 of the crop size"},
    {FIELD(crop_size), SETTING_SIZE, DATA, "256x256", 1, 16384, "N|WxH",
     "Size that is cropped out of that at random: of the network's input"},
    {FIELD(flip), SETTING_BOOL, DATA, "true", 0, 0, NULL, "Do not flip half of the pairs"},
    {FIELD(serial_batches), SETTING_BOOL, DATA, "false", 0, 0, NULL,
     "Take the pairs in the order of their names"},
    {FIELD(max_dataset_size), SETTING_INT, DATA, "0", 0, G_MAXINT, "N",
     "Learn the first N pairs alone; 0: all"},
    {FIELD(batch_size), SETTING_INT, DATA, "1", 1, 4096, "N",
     "Pairs in a batch; an epoch leaves out those that do not fill its last one, as PyTorch's "
     "drop_last, and without --serial-batches others each time"},

    {FIELD(net_g), SETTING_TEXT, NETWORKS, "unet_256", 0, 0, "NAME",
     "Generator: unet_N for any power of two, encoder_decoder_N without its skips, resnet_Nblocks "
     "for any number"},
    {FIELD(net_d), SETTING_CHOICE, NETWORKS, "basic", 0, 0, "basic|n_layers|pixel|none",
     "Discriminator, a PatchGAN of 3 or of --n-layers-d layers or a PixelGAN"},
    {FIELD(n_layers_d), SETTING_INT, NETWORKS, "3", 0, 16, "N",
     "Layers of --net-d n_layers; 0: it is --net-d pixel"},
    {FIELD(ngf), SETTING_INT, NETWORKS, "64", 1, 4096, "N",
     "Filters of the generator's first layer"},
    {FIELD(ndf), SETTING_INT, NETWORKS, "64", 1, 4096, "N",
     "Filters of the discriminator's first layer"},
    {FIELD(norm), SETTING_CHOICE, NETWORKS, "batch", 0, 0, NORMS, "Normalisation"},
    {FIELD(norm_d), SETTING_CHOICE, NETWORKS, "same", 0, 0, "same|" NORMS,
     "That of the discriminator"},
    {FIELD(dropout), SETTING_BOOL, NETWORKS, "true", 0, 0, NULL, "No dropout in the generator"},
    {FIELD(conditional), SETTING_BOOL, NETWORKS, "true", 0, 0, NULL,
     "Do not show the input to the discriminator"},
    {FIELD(init_type), SETTING_CHOICE, NETWORKS, "normal", 0, 0, "normal|xavier|kaiming|orthogonal",
     "How weights are drawn"},
    {FIELD(init_gain), SETTING_NUMBER, NETWORKS, "0.02", 0, 1000, "NUMBER", "How large they are"},
    {FIELD(init_g), SETTING_PATH, NETWORKS, "", 0, 0, "FILE",
     "Start from the generator in FILE, which sets the network's options"},
    {FIELD(init_d), SETTING_PATH, NETWORKS, "", 0, 0, "FILE", "The same for the discriminator"},

    {FIELD(gan_mode), SETTING_CHOICE, LOSSES, "vanilla", 0, 0, "vanilla|lsgan|hinge|wgangp",
     "What the discriminator is judged by"},
    {FIELD(lambda_gan), SETTING_NUMBER, LOSSES, "1", 0, 1e30, "NUMBER",
     "Weight of its judgement; 0: no discriminator"},
    {FIELD(lambda_l1), SETTING_NUMBER, LOSSES, "100", 0, 1e30, "NUMBER",
     "Weight of the distance to the target"},
    {FIELD(pixel_loss), SETTING_CHOICE, LOSSES, "l1", 0, 0, "l1|l2", "That distance"},
    {FIELD(lambda_gp), SETTING_NUMBER, LOSSES, "10", 0, 1e30, "NUMBER",
     "Weight of the gradient penalty of wgangp"},

    {FIELD(epochs), SETTING_INT, OPTIMISER, "100", 0, 1000000, "N",
     "Epochs at the full learning rate"},
    {FIELD(epochs_decay), SETTING_INT, OPTIMISER, "100", 0, 1000000, "N",
     "Epochs after those, over which it falls to zero"},
    {FIELD(start_epoch), SETTING_INT, OPTIMISER, "1", 0, 2000000, "N",
     "Number of the first epoch: those before it are left out"},
    {FIELD(max_steps), SETTING_INT, OPTIMISER, "0", 0, 1e15, "N",
     "Stop after N steps at the latest; 0: after the last epoch", FREE},
    {FIELD(lr_policy), SETTING_CHOICE, OPTIMISER, "linear", 0, 0,
     "linear|step|plateau|cosine|constant", "How the learning rate falls"},
    {FIELD(lr_decay_iters), SETTING_INT, OPTIMISER, "50", 1, 1000000, "N",
     "Policy step: epochs from one tenth to the next"},
    {FIELD(learning_rate), SETTING_NUMBER, OPTIMISER, "0.0002", 0, 1e30, "NUMBER",
     "Learning rate of both networks"},
    {FIELD(learning_rate_d), SETTING_NUMBER, OPTIMISER, "0", 0, 1e30, "NUMBER",
     "That of the discriminator; 0: the same"},
    {FIELD(beta1), SETTING_NUMBER, OPTIMISER, "0.5", 0, 0.999999, "NUMBER", "Adam's first decay"},
    {FIELD(beta2), SETTING_NUMBER, OPTIMISER, "0.999", 0, 0.999999, "NUMBER",
     "Adam's second decay"},
    {FIELD(clip_norm), SETTING_NUMBER, OPTIMISER, "0", 0, 1e30, "NUMBER",
     "Scale longer gradients of a network to this norm; 0: never"},
    {FIELD(accumulate), SETTING_INT, OPTIMISER, "1", 1, 65536, "N", "Batches in a step"},
    {FIELD(ema), SETTING_NUMBER, OPTIMISER, "0", 0, 0.9999999, "NUMBER",
     "Save a moving average of the generator with this decay instead; 0: none"},
    {FIELD(seed), SETTING_INT, OPTIMISER, "0", 0, 9e15, "N",
     "Of weights, order, crops, flips and dropout"},

    {FIELD(output), SETTING_PATH, WRITTEN, "", 0, 0, "RUN", "Folder of the run", FREE},
    {FIELD(log_steps), SETTING_INT, WRITTEN, "100", 1, 1000000000, "N",
     "Steps from one line of log.jsonl to the next", FREE},
    {FIELD(save_steps), SETTING_INT, WRITTEN, "500", 1, 1000000000, "N",
     "Steps from one state to the next", FREE},
    {FIELD(keep), SETTING_INT, WRITTEN, "3", 1, 1000000, "N", "How many of the last states to keep",
     FREE},
    {FIELD(save_epochs), SETTING_INT, WRITTEN, "0", -1, 1000000, "N",
     "Keep a generator of every Nth epoch as well; 0: none", FREE},
    {FIELD(validate_epochs), SETTING_INT, WRITTEN, "1", 0, 1000000, "N",
     "Epochs from one validation to the next; 0: only at the end"},
    {FIELD(metric), SETTING_CHOICE, WRITTEN, "swd", 0, 0, "swd|l1|psnr|ssim",
     "What the best generator is the best by"},
    {FIELD(samples), SETTING_INT, WRITTEN, "4", 0, 1000, "N", "Pictures on the sample sheet", FREE},
    {FIELD(samples_dir), SETTING_PATH, WRITTEN, "", 0, 0, "DIR",
     "Folder for them instead of RUN/samples, relative to where the run is begun; when RUN is "
     "moved, it moves along if it is inside, and stays if not",
     FREE},
    {FIELD(sample_steps), SETTING_INT, WRITTEN, "0", 0, 1000000000, "N",
     "Steps from one sample sheet to the next; 0: one an epoch", FREE},
    {FIELD(html), SETTING_BOOL, WRITTEN, "true", 0, 0, NULL, "No index.html", FREE},

    {FIELD(device), SETTING_TEXT, MACHINE, "", 0, 0, "NAME",
     "Processor to use, see pix2pix devices; a run may go on on another", FREE},
    {FIELD(threads), SETTING_INT, MACHINE, "0", 0, 1024, "N", "CPU threads to use; 0: all", FREE},
    {FIELD(loader_threads), SETTING_INT, MACHINE, "1", 0, 256, "N",
     "Threads that read pictures ahead; 0: they are read between steps", FREE},
};

const guint settings_n_rows = G_N_ELEMENTS(settings_table);
G_STATIC_ASSERT(G_N_ELEMENTS(settings_table) <= SETTINGS_MAX);

const SettingRow *settings_find_row(const char *name)
{
    for (guint i = 0; i < settings_n_rows; i++) {
        if (!strcmp(settings_table[i].name, name))
            return &settings_table[i];
    }
    return NULL;
}

void *settings_field(const Settings *settings, const SettingRow *row)
{
    return (char *)settings + row->offset;
}
