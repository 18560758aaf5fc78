/* x = 2^e (1 + f), s = f / (2 + f), z = s^2, square = f^2 / 2: log x = e log 2 + (f - (square - s (square + z p(z)))).
 * log(1 + x) = log u + (what u = 1 + x lost) / u. needs: prelude numbers */
static GT_REAL GT_P(log_series)(GT_REAL x)
{
#if GT_DOUBLE
    static const GT_REAL c[] = {
    0x1.2f17efa94bb3cp-3, 0x1.399fd376aebe3p-3, 0x1.746652b1500b2p-3, 0x1.c71c51a26870dp-3,
    0x1.249249427c47dp-2, 0x1.999999997f26cp-2, 0x1.5555555555595p-1};
#else
    static const GT_REAL c[] = {
    0x1.31e1a8p-2, 0x1.995edp-2, 0x1.55557ap-1};
#endif
    GT_REAL p = c[0];
    for (unsigned i = 1; i < sizeof c / sizeof *c; i++)
        p = p * x + c[i];
    return p;
}

static GT_REAL GT_P(log_plus)(GT_REAL x, GT_REAL low)
{
#if GT_DOUBLE
    const GT_REAL smallest = 0x1p-1022, lift = 0x1p52;
    const GT_REAL ln2_high = 0x1.62e42fefa2p-1, ln2_low = 0x1.9ef35793c7673p-41;
    const GT_WORD one = (GT_WORD)1023 << 52, root_half = 0x3fe6a09e667f3bcd;
    enum { MANTISSA = 52, BIAS = 1023 };
#else
    const GT_REAL smallest = 0x1p-126f, lift = 0x1p23f;
    const GT_REAL ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f;
    const GT_WORD one = (GT_WORD)127 << 23, root_half = 0x3f3504f3;
    enum { MANTISSA = 23, BIAS = 127 };
#endif
    int subnormal = x < smallest;
    GT_REAL given = x;
    x = subnormal ? x * lift : x;
    GT_WORD biased = (GT_P(bits)(x) - root_half + one) >> MANTISSA;
    GT_REAL e = GT_P(from_bits)(GT_P(bits)(lift) | biased) - (lift + BIAS);
    e = subnormal ? e - MANTISSA : e;
    GT_REAL f = GT_P(from_bits)(GT_P(bits)(x) - (biased << MANTISSA) + one) - 1;
    GT_REAL s = f / (2 + f), z = s * s, square = f * f * (GT_REAL)0.5;
    GT_REAL tail = s * (z * GT_P(log_series)(z) + square) + (e * ln2_low + low);
    GT_REAL y = e * ln2_high + (f - (square - tail));
    return given > 0 ? given == (GT_REAL)INFINITY ? given : y : given == 0 ? -(GT_REAL)INFINITY : (GT_REAL)NAN;
}

GT_EMIT GT_REAL GT_P(log)(GT_REAL x)
{
    return GT_P(log_plus)(x, 0);
}

GT_EMIT GT_REAL GT_P(log1p)(GT_REAL x)
{
    GT_REAL u = 1 + x, seen = u - 1;
    GT_REAL y = GT_P(log_plus)(u, ((1 - (u - seen)) + (x - seen)) / u);
    return GT_M(fabs)(x) < (GT_DOUBLE ? (GT_REAL)0x1p-54 : (GT_REAL)0x1p-25) ? x : y;
}
