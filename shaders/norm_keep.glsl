/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What becomes of statistics that were just found; stats[] and vectors[] are the shader's. */

/*
 * PyTorch's running statistics: the variance is the unbiased one. Of a single value there is none;
 * here the biased one, 0, counts.
 */
void follow(uint c, float mean, float variance)
{
    float count = float(p.pixels);
    float unbiased = p.pixels > 1 ? variance * (count / (count - 1.0)) : variance;
    float m = vectors[p.running_mean + c], v = vectors[p.running_variance + c];
    vectors[p.running_mean + c] = m + p.share * (mean - m);
    vectors[p.running_variance + c] = v + p.share * (unbiased - v);
}

void keep(uint group, uint c, vec2 found, float squares)
{
    if (p.mean != NOTHING) {
        stats[p.mean + place_of(group, c)] = found.x;
        stats[p.rstd + place_of(group, c)] = found.y;
    }
    if (p.running_mean != NOTHING)
        follow(c, found.x, squares / float(p.pixels));
}
