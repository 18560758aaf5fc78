/* The bits of a number and back; 2^k. needs: prelude */
static GT_WORD GT_P(bits)(GT_REAL x)
{
    GT_WORD bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static GT_REAL GT_P(from_bits)(GT_WORD bits)
{
    GT_REAL x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
