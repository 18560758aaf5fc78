/* e^x = 2^k e^r, |r| <= log(2) / 2: e^r = 1 + (r + (r^2 p(r) + low)); 2^k in two halves. needs: prelude numbers */
static GT_REAL GT_P(exp_series)(GT_REAL x)
{
#if GT_DOUBLE
    static const GT_REAL c[] = {
    0x1.1f840ab1f87fcp-29, 0x1.af5f7e056c165p-26, 0x1.27e4d12ff642bp-22, 0x1.71ddf7e787cabp-19,
    0x1.a01a01ab1a225p-16, 0x1.a01a01b00fcc5p-13, 0x1.6c16c16c15773p-10, 0x1.111111110f642p-7,
    0x1.5555555555557p-5, 0x1.5555555555559p-3, 0x1p-1};
#else
    static const GT_REAL c[] = {
    0x1.6d438cp-10, 0x1.122a2p-7, 0x1.5554fp-5, 0x1.5554acp-3, 0x1p-1};
#endif
    GT_REAL p = c[0];
    for (unsigned i = 1; i < sizeof c / sizeof *c; i++)
        p = p * x + c[i];
    return p;
}

static GT_REAL GT_P(power_of_two)(GT_WORD k)
{
    return GT_P(from_bits)(GT_DOUBLE ? (k + 1023) << (GT_DOUBLE ? 52 : 0) : (k + 127) << 23);
}

GT_EMIT GT_REAL GT_P(exp)(GT_REAL x)
{
#if GT_DOUBLE
    const GT_REAL lowest = -746, highest = 710, rounder = 0x1.8p52, log2_e = 0x1.71547652b82fep0;
    const GT_REAL ln2_high = 0x1.62e42fefa2p-1, ln2_low = 0x1.9ef35793c7673p-41;
    const GT_WORD bias = 1023;
#else
    const GT_REAL lowest = -104, highest = 89, rounder = 0x1.8p23f, log2_e = 0x1.715476p0f;
    const GT_REAL ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f;
    const GT_WORD bias = 127;
#endif
    x = x > highest ? highest : x;
    x = x < lowest ? lowest : x;
    GT_REAL t = x * log2_e + rounder, n = t - rounder;
    GT_REAL high = x - n * ln2_high, r = high - n * ln2_low, low = (high - r) - n * ln2_low;
    GT_REAL y = 1 + (r + (r * r * GT_P(exp_series)(r) + low));
    GT_WORD k = GT_P(bits)(t) - GT_P(bits)(rounder);
    GT_WORD half = ((k + 4 * bias + 4) >> 1) - (2 * bias + 2);
    return y * GT_P(power_of_two)(half) * GT_P(power_of_two)(k - half);
}
