/* Below 0.55 x + x^3 p(x^2), above 1 - 2 / (e^2x + 1). needs: prelude numbers exp */
static GT_REAL GT_P(tanh_series)(GT_REAL x)
{
#if GT_DOUBLE
    static const GT_REAL c[] = {
    0x1.a589bbac9af93p-15, -0x1.b6b1fe33fc9e8p-13, 0x1.2f46838564936p-11, -0x1.7ce42c125888ap-10,
    0x1.d6c4885513b22p-9, -0x1.226dd09b82077p-7, 0x1.664f45487fb6fp-6, -0x1.ba1ba1aad5413p-5,
    0x1.11111110ff158p-3, -0x1.5555555555469p-2};
#else
    static const GT_REAL c[] = {
    -0x1.986102p-8, 0x1.58c83ap-6, -0x1.b91bc8p-5, 0x1.110ce4p-3, -0x1.55554ap-2};
#endif
    GT_REAL p = c[0];
    for (unsigned i = 1; i < sizeof c / sizeof *c; i++)
        p = p * x + c[i];
    return p;
}

GT_EMIT GT_REAL GT_P(tanh)(GT_REAL x)
{
    GT_REAL a = GT_M(fabs)(x), z = a * a;
    GT_REAL y = a < (GT_REAL)0.55 ? a * z * GT_P(tanh_series)(z) + a : 1 - 2 / (GT_P(exp)(a + a) + 1);
    return GT_M(copysign)(y, x);
}
